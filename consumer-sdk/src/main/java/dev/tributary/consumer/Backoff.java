package dev.tributary.consumer;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** Pauses that double up to a maximum, each a little random so that instances do not try in step. Not thread-safe. */
final class Backoff {
    private static final long FIRST_MILLIS = 100;

    private final long maxMillis;
    private long nextMillis = FIRST_MILLIS;

    Backoff(Duration max) {
        maxMillis = max.toMillis();
    }

    Duration next() {
        long millis = Math.min(nextMillis, maxMillis);
        nextMillis = millis * 2;
        return Duration.ofMillis(millis - ThreadLocalRandom.current().nextLong(millis / 5 + 1));
    }

    void reset() {
        nextMillis = FIRST_MILLIS;
    }
}
