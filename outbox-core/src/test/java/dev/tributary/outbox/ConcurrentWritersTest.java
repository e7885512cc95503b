package dev.tributary.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ConcurrentWritersTest {
    private static final int WRITERS = 6;
    private static final int TRANSACTIONS = 50;
    private static final int AGGREGATES = 4;
    private static final Outbox OUTBOX = Outbox.of(EventTypes.builder().build());
    private static TestDatabase database;

    @BeforeAll
    static void createDatabase() throws SQLException {
        database = TestDatabase.withTables();
    }

    @BeforeEach
    void clear() throws SQLException {
        database.clear();
    }

    /** Each call names its aggregates in an order of its own: without one fixed order of locking this deadlocks. */
    @Test
    void manyWritersOfFewAggregatesLeaveNoGapAndNeverDeadlock() throws Exception {
        int committed = inParallel((connection, random) -> {
            List<NewEvent> events = IntStream.rangeClosed(0, random.nextInt(6))
                    .mapToObj(i -> event(random))
                    .toList();
            OUTBOX.publish(connection, events);
            if (random.nextInt(4) == 0) {
                connection.rollback();
                return 0;
            }
            connection.commit();
            return events.size();
        });
        assertContiguous(committed);
    }

    @Test
    void writersThatExpectLoseWithoutAGap() throws Exception {
        int committed = inParallel((connection, random) -> {
            NewEvent event = event(random);
            long guess = Long.parseLong(TestDatabase.texts(
                            connection,
                            "SELECT coalesce(max(sequence), 0) + 1 FROM tributary.aggregate WHERE aggregate_id = ?",
                            event.aggregateId())
                    .get(0));
            int written = 0;
            try {
                OUTBOX.publish(connection, List.of(event.expectingSequence(guess), event));
                written = 2;
            } catch (SequenceConflictException e) {
                assertThat(e.actual()).isGreaterThan(guess);
            }
            connection.commit();
            return written;
        });
        assertThat(committed).isPositive();
        assertContiguous(committed);
    }

    private interface Work {
        int run(Connection connection, Random random) throws SQLException;
    }

    private static int inParallel(Work work) throws Exception {
        ExecutorService writers = Executors.newFixedThreadPool(WRITERS);
        try {
            List<Future<Integer>> counts = new ArrayList<>();
            for (int writer = 0; writer < WRITERS; writer++) {
                Random random = new Random(writer);
                counts.add(writers.submit(writer(work, random)));
            }
            int sum = 0;
            for (Future<Integer> count : counts) {
                sum += count.get();
            }
            return sum;
        } finally {
            writers.shutdownNow();
        }
    }

    private static Callable<Integer> writer(Work work, Random random) {
        return () -> {
            int sum = 0;
            try (Connection connection = database.transaction()) {
                for (int i = 0; i < TRANSACTIONS; i++) {
                    sum += work.run(connection, random);
                }
            }
            return sum;
        };
    }

    private static void assertContiguous(int committed) throws SQLException {
        assertThat(database.text("SELECT count(*) FROM tributary.outbox")).isEqualTo(String.valueOf(committed));
        assertThat(database.texts("SELECT aggregate_id FROM tributary.outbox o JOIN tributary.aggregate a"
                        + " USING (aggregate_type, aggregate_id) GROUP BY aggregate_id"
                        + " HAVING count(*) <> max(a.sequence) OR count(DISTINCT o.sequence) <> max(a.sequence)"
                        + " OR min(o.sequence) <> 1 OR max(o.sequence) <> max(a.sequence)"))
                .isEmpty();
    }

    private static NewEvent event(Random random) {
        return NewEvent.raw(
                "order",
                "a" + random.nextInt(AGGREGATES),
                "order.placed.v1",
                "application/json",
                "{}".getBytes(StandardCharsets.UTF_8));
    }
}
