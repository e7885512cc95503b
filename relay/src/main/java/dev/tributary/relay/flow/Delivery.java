package dev.tributary.relay.flow;

/** Hears, on the producer's thread, that Kafka has taken one event for good. */
@FunctionalInterface
public interface Delivery {
    void acknowledged();
}
