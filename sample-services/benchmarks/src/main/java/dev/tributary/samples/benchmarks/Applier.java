package dev.tributary.samples.benchmarks;

import java.util.Locale;

/** Who applies the events, each in a JVM of its own. */
enum Applier {
    ROWS("Tributary, row operations", 1),
    /** So that it shows what noticing gaps costs. */
    ROWS_WITHOUT_GAPS("the same, gaps in sequences ignored", 1),
    JDBC("Tributary, plain JDBC handler", 0.3),
    /** What somebody writes by hand who needs nothing but speed: exactly once is not among it. */
    BARE("bare loop, JDBC batches", 1),
    /** The limit: no key, no index, no update; only for scale. */
    COPY("bare loop, COPY into a table without a key", 1),
    /** What most people write by hand. */
    INBOX("a transaction per message, inbox table", 0.1),
    /** With the batch size of the others, and its buffer that keeps the last of a key's records in a batch. */
    DEBEZIUM_SINK("Debezium JDBC sink", 0.5);

    private final String title;
    private final double share;

    Applier(String title, double share) {
        this.title = title;
        this.share = share;
    }

    String title() {
        return title;
    }

    /** How much of the work it gets, so that the slow ones do not take all the time. */
    double share() {
        return share;
    }

    boolean keepsTheView() {
        return this != COPY;
    }

    /** Its name in JSON. */
    String key() {
        return name().toLowerCase(Locale.ROOT);
    }
}
