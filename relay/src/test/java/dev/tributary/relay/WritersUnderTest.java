package dev.tributary.relay;

import dev.tributary.outbox.EventTypes;
import dev.tributary.outbox.NewEvent;
import dev.tributary.outbox.Outbox;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Services at work: threads that publish events of a few shared aggregates in transactions of random size, of which some
 * are rolled back, wholly or to a savepoint. They go on through a database that goes away.
 */
final class WritersUnderTest implements AutoCloseable {
    private static final int AGGREGATES = 20;
    /** Leaves the relay and the checks their share of a small machine. */
    private static final long PAUSE_NANOS = 3_000_000;

    private final Outbox outbox = Outbox.of(EventTypes.builder().build());
    private final SourceUnderTest source;
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicLong commits = new AtomicLong();
    private volatile boolean stopping;

    WritersUnderTest(SourceUnderTest source, int writers) {
        this.source = source;
        for (int i = 0; i < writers; i++) {
            Random random = new Random(i);
            Thread thread = new Thread(() -> write(random), "writer-" + i);
            thread.start();
            threads.add(thread);
        }
    }

    /** Transactions that the database said are committed. */
    long commits() {
        return commits.get();
    }

    private void write(Random random) {
        while (!stopping) {
            try (Connection connection = source.connect()) {
                connection.setAutoCommit(false);
                while (!stopping) {
                    transaction(connection, random);
                }
            } catch (SQLException | RuntimeException e) {
                // The database is away, or two writers locked aggregates crosswise: try again
            }
        }
    }

    private void transaction(Connection connection, Random random) throws SQLException {
        publish(connection, random);
        if (random.nextInt(10) == 0) {
            Savepoint savepoint = connection.setSavepoint();
            publish(connection, random);
            connection.rollback(savepoint);
        }
        if (random.nextInt(10) == 0) {
            connection.rollback();
        } else {
            connection.commit();
            commits.incrementAndGet();
        }
        LockSupport.parkNanos(PAUSE_NANOS);
    }

    private void publish(Connection connection, Random random) throws SQLException {
        List<NewEvent> events = new ArrayList<>();
        for (int i = random.nextInt(4); i >= 0; i--) {
            byte[] payload = ("{\"n\":" + random.nextLong() + "}").getBytes(StandardCharsets.UTF_8);
            String aggregateType = random.nextBoolean() ? "order" : "customer";
            events.add(NewEvent.raw(
                    aggregateType, "a" + random.nextInt(AGGREGATES), "thing.happened.v1", "application/json", payload));
        }
        outbox.publish(connection, events);
    }

    @Override
    public void close() {
        stopping = true;
        for (Thread thread : threads) {
            try {
                thread.join(TimeUnit.SECONDS.toMillis(30));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
