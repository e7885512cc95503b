package dev.tributary.localstack;

import java.util.HashMap;
import java.util.Map;

/**
 * Kafka on a free port of 127.0.0.1: one node, broker and controller in one process. Topics are not made by themselves.
 *
 * <p>It ends with this JVM, however this JVM ends, and its data with it. Thread-safe.
 */
public final class LocalKafka implements AutoCloseable {
    private static final Map<String, String> PROPERTIES = Map.ofEntries(
            Map.entry("auto.create.topics.enable", "false"),
            Map.entry("default.replication.factor", "1"),
            Map.entry("min.insync.replicas", "1"),
            Map.entry("offsets.topic.replication.factor", "1"),
            Map.entry("offsets.topic.num.partitions", "3"),
            Map.entry("transaction.state.log.replication.factor", "1"),
            Map.entry("transaction.state.log.min.isr", "1"),
            Map.entry("transaction.state.log.num.partitions", "3"),
            Map.entry("share.coordinator.state.topic.replication.factor", "1"),
            Map.entry("share.coordinator.state.topic.min.isr", "1"),
            Map.entry("group.initial.rebalance.delay.ms", "0"),
            // So that tests can see a consumer expire without waiting for the usual 6 s
            Map.entry("group.min.session.timeout.ms", "500"),
            // A killed broker is let in again when its former self's session ends, after 9 s by default
            Map.entry("broker.session.timeout.ms", "2000"),
            Map.entry("broker.heartbeat.interval.ms", "250"),
            // 128 MB by default, a quarter of this broker's heap
            Map.entry("log.cleaner.dedupe.buffer.size", "4194304"));

    private static final class Shared {
        static final LocalKafka INSTANCE = startOwn();
    }

    private final Server server;

    private LocalKafka(Server server) {
        this.server = server;
    }

    /** The one that everything in this JVM shares; started by the first caller. Not to be stopped or closed. */
    public static LocalKafka shared() {
        return Shared.INSTANCE;
    }

    /** Starts one for the caller alone, to be stopped, killed and closed at will. */
    public static LocalKafka startOwn() {
        return startOwn(Map.of());
    }

    /** Starts one for the caller alone, with broker properties that add to, or replace, those all have. */
    public static LocalKafka startOwn(Map<String, String> properties) {
        LocalKafka started = own(properties);
        started.start();
        return started;
    }

    /** As {@link #startOwn}, but leaves the start to the caller, who may want to know the port before. */
    public static LocalKafka own(Map<String, String> properties) {
        Map<String, String> all = new HashMap<>(PROPERTIES);
        all.putAll(properties);
        return new LocalKafka(Backend.current().kafka(all));
    }

    /** What clients take as {@code bootstrap.servers}. */
    public String bootstrapServers() {
        return "127.0.0.1:" + port();
    }

    public int port() {
        return server.port();
    }

    /** Returns once clients are served; does nothing if it runs. Data and port are those from before. */
    public void start() {
        server.start();
    }

    /** Stops it in an orderly way. */
    public void stop() {
        server.stop();
    }

    public void restart() {
        stop();
        start();
    }

    /** Kills its process and returns once it is gone. */
    public void kill() {
        server.kill();
    }

    /** Freezes its process: connections stay open, nothing answers. */
    public void pause() {
        server.pause();
    }

    public void resume() {
        server.resume();
    }

    @Override
    public void close() {
        server.close();
    }
}
