package dev.tributary.samples.benchmarks;

import java.util.Locale;

/** What is measured beside the replay: the limits of either side. Each runs in a JVM of its own. */
enum ReplayContestant {
    /** The limit on the database's side: all rows in the order of the table, read and dropped. */
    COPY("bare COPY"),
    /** The same in the order that a replay needs. */
    SORTED_COPY("bare COPY, ordered"),
    /** The limit on Kafka's side: records made beforehand. */
    PRODUCER("bare producer"),
    /** {@code relay replay}. */
    REPLAY("relay replay");

    private final String title;

    ReplayContestant(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }

    /** Its name in JSON. */
    String key() {
        return name().toLowerCase(Locale.ROOT);
    }
}
