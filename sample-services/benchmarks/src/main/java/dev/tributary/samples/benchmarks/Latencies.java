package dev.tributary.samples.benchmarks;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/** When each numbered event arrived, or every so manieth; its first arrival counts. Thread-safe. */
final class Latencies {
    private static final long ARRIVE_MAX_NANOS = 60_000_000_000L;
    private static final long LOOK_NANOS = 10_000_000;

    private final AtomicLongArray arrivedNanos;
    private final int every;
    private final int awaited;
    private final AtomicInteger arrived = new AtomicInteger();

    Latencies(int count) {
        this(count, 1);
    }

    /** @param every only events whose numbers are multiples of it count */
    Latencies(int count, int every) {
        this.arrivedNanos = new AtomicLongArray(count);
        this.every = every;
        this.awaited = (count + every - 1) / every;
    }

    /** Whether an event with that number is waited for. */
    boolean counts(int number) {
        return number % every == 0;
    }

    void arrived(int number, long nanos) {
        if (counts(number) && arrivedNanos.compareAndSet(number, 0, nanos)) {
            arrived.incrementAndGet();
        }
    }

    /** Returns when all have arrived. */
    void awaitAll() {
        long deadline = System.nanoTime() + ARRIVE_MAX_NANOS;
        while (arrived.get() < awaited) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException(
                        awaited - arrived.get() + " events have not arrived, among them " + firstMissing());
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    private int firstMissing() {
        int number = 0;
        while (number + every < arrivedNanos.length() && arrivedNanos.get(number) != 0) {
            number += every;
        }
        return number;
    }

    /** Of the events from {@code first} on: how long after they were due they arrived. */
    Summary since(OpenLoop loop, int first) {
        double[] millis = IntStream.range(first, arrivedNanos.length())
                .filter(this::counts)
                .mapToDouble(number -> (arrivedNanos.get(number) - loop.dueNanos(number)) / 1e6)
                .sorted()
                .toArray();
        return new Summary(at(millis, 0.5), at(millis, 0.99), at(millis, 0.999), millis[millis.length - 1]);
    }

    private static double at(double[] sorted, double share) {
        return sorted[Math.min(sorted.length - 1, (int) (sorted.length * share))];
    }

    /** Milliseconds. */
    record Summary(double p50, double p99, double p999, double max) {}
}
