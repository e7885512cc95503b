package dev.tributary.relay.simulation;

import dev.tributary.relay.sink.Kafka;
import dev.tributary.relay.sink.Topics;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.kafka.common.errors.TimeoutException;

/** Topics that are created with a random number of partitions. */
final class SimulatedTopics implements Topics {
    private static final long TIMEOUT_NANOS = 10_000_000_000L;

    private final SimulatedRelay owner;
    private final World world;

    SimulatedTopics(SimulatedRelay owner) {
        this.owner = owner;
        this.world = owner.world();
    }

    private SimulatedKafka ask() {
        owner.turn();
        if (!world.kafka().isUp()) {
            world.passes(TIMEOUT_NANOS);
            throw Kafka.unavailable("nowhere", "anything", new TimeoutException("simulated: no broker"));
        }
        return world.kafka();
    }

    @Override
    public Set<String> existing(Predicate<String> filter) {
        Set<String> names = new HashSet<>(ask().topics().keySet());
        names.removeIf(filter.negate());
        return names;
    }

    @Override
    public void ensureMarks(String topic) {
        ask().ensure(topic, 1);
    }

    @Override
    public void ensure(String topic) {
        if (!world.kafka().topics().containsKey(topic)) {
            ask().ensure(topic, 1 + world.below(3));
        }
    }

    @Override
    public void close() {}
}
