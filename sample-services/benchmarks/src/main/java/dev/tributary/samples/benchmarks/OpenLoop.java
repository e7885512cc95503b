package dev.tributary.samples.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Offers numbered events at a steady rate, whatever becomes of them: event {@code n} is due {@code n / rate} seconds after
 * the start, and its latency counts from then on, so that a stall is felt by all that were due meanwhile (no coordinated
 * omission). Thread-safe once started.
 */
final class OpenLoop {
    private final int perSecond;
    private final int count;
    private final AtomicInteger next = new AtomicInteger();
    private volatile long startNanos;

    /** @param count how many events in all */
    OpenLoop(int perSecond, int count) {
        this.perSecond = perSecond;
        this.count = count;
    }

    /** What sends one event; each writer has one of its own. */
    interface Writer extends AutoCloseable {
        void write(int number) throws Exception;

        @Override
        void close();
    }

    /** How to come by a writer. */
    interface Writers {
        Writer open() throws Exception;
    }

    /** Offers all events, with several writers by turns; returns when the last is written. */
    void run(Writers writers, int writerCount) throws Exception {
        List<Writer> opened = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        List<Throwable> failures = java.util.Collections.synchronizedList(new ArrayList<>());
        try {
            for (int i = 0; i < writerCount; i++) {
                opened.add(writers.open());
            }
            startNanos = System.nanoTime();
            for (Writer writer : opened) {
                Thread thread = new Thread(() -> writeAll(writer, failures), "writer");
                thread.start();
                threads.add(thread);
            }
            for (Thread thread : threads) {
                thread.join();
            }
        } finally {
            for (Writer writer : opened) {
                writer.close();
            }
        }
        if (!failures.isEmpty()) {
            throw new IllegalStateException("a writer failed", failures.get(0));
        }
    }

    private void writeAll(Writer writer, List<Throwable> failures) {
        try {
            for (int number = next.getAndIncrement(); number < count; number = next.getAndIncrement()) {
                long wait = dueNanos(number) - System.nanoTime();
                while (wait > 0) {
                    LockSupport.parkNanos(wait);
                    wait = dueNanos(number) - System.nanoTime();
                }
                writer.write(number);
            }
        } catch (Exception e) {
            failures.add(e);
            next.set(count);
        }
    }

    /** When event {@code number} was to be written, by {@link System#nanoTime}. */
    long dueNanos(int number) {
        return startNanos + (long) (number * (1e9 / perSecond));
    }
}
