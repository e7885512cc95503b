package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.EventTypes;
import dev.tributary.outbox.NewEvent;
import dev.tributary.outbox.Outbox;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Clients that publish as a service does, at a rate that leaves the relay room. How quickly they could is known from the time
 * that their transactions take.
 */
final class ChurnWriters implements AutoCloseable {
    private final LocalPostgres postgres;
    private final String url;
    private final int eventsPerTransaction;
    private final long nanosPerTransaction;
    private final Outbox outbox = Outbox.of(EventTypes.builder().build());
    private final List<byte[]> payloads = new ArrayList<>();
    private final AtomicLong begun = new AtomicLong();
    private final AtomicLong written = new AtomicLong();
    private final AtomicLong busyNanos = new AtomicLong();
    private final AtomicLong longestNanos = new AtomicLong();
    private final ExecutorService threads;
    private final int clients;
    private final long startNanos = System.nanoTime();
    private volatile @Nullable Exception failure;

    ChurnWriters(
            LocalPostgres postgres, String url, int clients, int eventsPerTransaction, int rate, Workload workload) {
        this.postgres = postgres;
        this.url = url;
        this.clients = clients;
        this.eventsPerTransaction = eventsPerTransaction;
        this.nanosPerTransaction = TimeUnit.SECONDS.toNanos(1) * eventsPerTransaction / rate;
        this.threads = Executors.newFixedThreadPool(clients);
        for (int number = 0; number < Workload.PAYLOADS; number++) {
            payloads.add(workload.payload(number));
        }
        for (int i = 0; i < clients; i++) {
            threads.execute(this::write);
        }
    }

    /**
     * What was written since the last look.
     *
     * @param perSecond events a second that all clients together could have written, had they not kept to the rate
     * @param longestMillis the longest transaction
     */
    record Look(long events, double perSecond, long longestMillis) {}

    /** Waits until so many were written in all. */
    Look await(long events) throws Exception {
        long before = written.get();
        long busyBefore = busyNanos.get();
        longestNanos.set(0);
        while (written.get() < events) {
            Exception failed = failure;
            if (failed != null) {
                throw failed;
            }
            Thread.sleep(20);
        }
        long more = written.get() - before;
        double busySeconds = (busyNanos.get() - busyBefore) / 1e9;
        return new Look(more, more / busySeconds * clients, TimeUnit.NANOSECONDS.toMillis(longestNanos.get()));
    }

    private void write() {
        try (Connection connection = postgres.connect(url)) {
            connection.setAutoCommit(false);
            while (!Thread.currentThread().isInterrupted()) {
                long number = begun.getAndIncrement();
                LockSupport.parkNanos(startNanos + number * nanosPerTransaction - System.nanoTime());
                long start = System.nanoTime();
                publish(connection, number);
                long nanos = System.nanoTime() - start;
                busyNanos.addAndGet(nanos);
                longestNanos.accumulateAndGet(nanos, Math::max);
                written.addAndGet(eventsPerTransaction);
            }
        } catch (SQLException | RuntimeException e) {
            failure = e;
        }
    }

    private void publish(Connection connection, long transaction) throws SQLException {
        List<NewEvent> events = new ArrayList<>();
        for (int i = 0; i < eventsPerTransaction; i++) {
            int number = (int) ((transaction * eventsPerTransaction + i) % Integer.MAX_VALUE);
            events.add(NewEvent.raw(
                            Workload.AGGREGATE_TYPE,
                            Workload.aggregateId(number),
                            Workload.EVENT_TYPE,
                            Workload.CONTENT_TYPE,
                            payloads.get(number % Workload.PAYLOADS))
                    .unsequenced());
        }
        outbox.publish(connection, events);
        connection.commit();
    }

    @Override
    public void close() {
        threads.shutdownNow();
        try {
            if (!threads.awaitTermination(10, TimeUnit.SECONDS)) {
                System.err.println("a writer has not ended");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
