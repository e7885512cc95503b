package dev.tributary.relay;

import java.time.Duration;

/** Pauses that double up to a maximum. Not thread-safe. */
final class Backoff {
    private final Duration first;
    private final Duration longest;
    private Duration next;

    Backoff(Duration first, Duration longest) {
        this.first = first;
        this.longest = longest;
        this.next = first;
    }

    Duration next() {
        Duration pause = next;
        Duration doubled = pause.multipliedBy(2);
        next = doubled.compareTo(longest) < 0 ? doubled : longest;
        return pause;
    }

    /** What failed works: the next failure is a new one. */
    void reset() {
        next = first;
    }
}
