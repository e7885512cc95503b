package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Who is measured. Each runs in a JVM of its own. */
enum Contestant {
    /** The limit on the database's side: binary pgoutput, read and dropped. */
    WALSENDER("bare walsender read"),
    /** The limit on Kafka's side: the relay's records, made beforehand, without its restriction to one request. */
    PRODUCER("bare producer"),
    /** The relay as it is delivered: its command line, its defaults. */
    RELAY("relay (pgoutput)"),
    /** The same with {@code engine: debezium}. */
    RELAY_ON_DEBEZIUM("relay (debezium)"),
    /** Debezium Embedded with its EventRouter and the defaults of its documentation. */
    DEBEZIUM("Debezium"),
    /** The same with larger batches and queue, and an interval that suits them. */
    DEBEZIUM_TUNED("Debezium, tuned");

    private final String title;

    Contestant(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }

    boolean readsWal() {
        return this != PRODUCER;
    }

    boolean writesToKafka() {
        return this != WALSENDER;
    }

    /** The slot it reads when its run has this name. */
    static String slot(String run) {
        return "tributary_" + run; // as the relay names the slot of a source
    }

    /** The topic it writes to when its run has this name. */
    static String topic(String run) {
        return run + "." + Workload.AGGREGATE_TYPE; // as the relay names a source's topics
    }

    /** Adds its main class and arguments. */
    JavaProcess.Builder process(
            String run, String databaseUrl, String bootstrapServers, Workload workload, Path directory)
            throws IOException {
        return switch (this) {
            case WALSENDER -> JavaProcess.main(WalsenderMain.class).args(databaseUrl, slot(run));
            case PRODUCER ->
                JavaProcess.main(ProducerMain.class)
                        .args(
                                run,
                                bootstrapServers,
                                Integer.toString(workload.payloadBytes()),
                                Integer.toString(workload.events()));
            case RELAY, RELAY_ON_DEBEZIUM ->
                JavaProcess.main("dev.tributary.relay.cli.RelayCommand")
                        .args(
                                "run",
                                "--config",
                                relayConfiguration(
                                                run,
                                                databaseUrl,
                                                bootstrapServers,
                                                this == RELAY ? "pgoutput" : "debezium",
                                                directory)
                                        .toString());
            case DEBEZIUM, DEBEZIUM_TUNED ->
                JavaProcess.main(DebeziumMain.class)
                        .args(run, databaseUrl, bootstrapServers, Boolean.toString(this == DEBEZIUM_TUNED));
        };
    }

    private static Path relayConfiguration(
            String run, String databaseUrl, String bootstrapServers, String engine, Path directory) throws IOException {
        String yaml =
                """
                relay:
                  kafka:
                    bootstrap.servers: %s
                  http: { host: 127.0.0.1, port: 0 }
                  sources:
                    %s:
                      engine: %s
                      url: %s
                      username: %s
                      password: %s
                """.formatted(bootstrapServers, run, engine, databaseUrl, LocalPostgres.USER, LocalPostgres.PASSWORD);
        return Files.writeString(directory.resolve(run + ".yaml"), yaml);
    }

    /** Its name in JSON. */
    String key() {
        return name().toLowerCase(Locale.ROOT);
    }
}
