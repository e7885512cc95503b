package dev.tributary.consumer;

import java.time.Duration;

/**
 * How many events a batch may have at most, so that its transaction does not take much longer than it should: slow handlers get
 * fewer than quick ones. Not thread-safe.
 */
final class BatchSize {
    /** What a transaction costs by itself is little of that, and whoever waits for its locks or its end need not wait long. */
    static final Duration TRANSACTION_TIME = Duration.ofMillis(500);
    /** Before anything is known of the handlers. */
    static final int FIRST = 100;

    private final int max;
    private int next;

    BatchSize(int max) {
        this.max = max;
        next = Math.min(FIRST, max);
    }

    int next() {
        return next;
    }

    /** So many events have been applied in one transaction. */
    void took(int events, Duration time) {
        double inTime = events * (double) TRANSACTION_TIME.toNanos() / Math.max(1, time.toNanos());
        next = (int) Math.max(1, Math.min(max, inTime));
    }
}
