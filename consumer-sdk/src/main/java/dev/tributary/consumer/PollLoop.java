package dev.tributary.consumer;

import java.util.List;

/** Reads Kafka. */
final class PollLoop {
    private final SubscriptionConfig config;

    PollLoop(SubscriptionConfig config) {
        this.config = config;
    }

    SubscriptionConfig config() {
        return config;
    }

    void start() {}

    void close() {}

    SubscriptionStatus status() {
        return new SubscriptionStatus(
                config.name(),
                SubscriptionStatus.State.STARTING,
                "",
                List.of(),
                new SubscriptionStatus.Counters(0, 0, 0, 0, 0, 0, 0, 0));
    }
}
