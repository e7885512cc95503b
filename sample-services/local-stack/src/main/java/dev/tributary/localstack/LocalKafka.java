package dev.tributary.localstack;

import java.util.HashMap;
import java.util.Map;

/** Kafka: one node, broker and controller in one process. Topics are not made by themselves. Thread-safe. */
public final class LocalKafka extends LocalServer {
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

    private LocalKafka(Server server) {
        super(server);
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
}
