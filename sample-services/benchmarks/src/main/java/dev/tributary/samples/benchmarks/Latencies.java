package dev.tributary.samples.benchmarks;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;

/** When each numbered event arrived; its first arrival counts. Thread-safe. */
final class Latencies {
    private static final long ARRIVE_MAX_NANOS = 60_000_000_000L;
    private static final long LOOK_NANOS = 10_000_000;

    private final AtomicLongArray arrivedNanos;
    private final AtomicInteger arrived = new AtomicInteger();

    Latencies(int count) {
        arrivedNanos = new AtomicLongArray(count);
    }

    void arrived(int number, long nanos) {
        if (arrivedNanos.compareAndSet(number, 0, nanos)) {
            arrived.incrementAndGet();
        }
    }

    /** Returns when all have arrived. */
    void awaitAll() {
        long deadline = System.nanoTime() + ARRIVE_MAX_NANOS;
        while (arrived.get() < arrivedNanos.length()) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException(arrivedNanos.length() - arrived.get()
                        + " events have not arrived, among them " + firstMissing());
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    private int firstMissing() {
        int number = 0;
        while (number < arrivedNanos.length() - 1 && arrivedNanos.get(number) != 0) {
            number++;
        }
        return number;
    }

    /** Of the events from {@code first} on: how long after they were due they arrived. */
    Summary since(OpenLoop loop, int first) {
        double[] millis = new double[arrivedNanos.length() - first];
        for (int i = 0; i < millis.length; i++) {
            millis[i] = (arrivedNanos.get(first + i) - loop.dueNanos(first + i)) / 1e6;
        }
        Arrays.sort(millis);
        return new Summary(at(millis, 0.5), at(millis, 0.99), at(millis, 0.999), millis[millis.length - 1]);
    }

    private static double at(double[] sorted, double share) {
        return sorted[Math.min(sorted.length - 1, (int) (sorted.length * share))];
    }

    /** Milliseconds. */
    record Summary(double p50, double p99, double p999, double max) {}
}
