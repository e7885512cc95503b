package dev.tributary.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PartitionSequencesTest {
    private static final TopicPartition PARTITION = new TopicPartition("sales.order", 3);
    private static final long SEED = new Random().nextLong();

    private final ViewDatabase view = new ViewDatabase(LocalPostgres.shared());
    private final Random random = new Random(SEED);
    private final Map<Integer, Long> expected = new HashMap<>();

    @AfterEach
    void close() {
        view.close();
    }

    private static Event<?> event(int aggregate, long sequence) {
        return new Event<>(
                "1",
                "sales",
                "t.v1",
                "t.v1",
                "order",
                "o-" + aggregate,
                sequence,
                null,
                Instant.EPOCH,
                Map.of(),
                "",
                "t",
                0,
                0);
    }

    private void assertKnown(PartitionSequences sequences, int aggregates) {
        for (int i = 0; i < aggregates; i++) {
            assertThat(sequences.last(event(i, 1)))
                    .as("seed %s, aggregate %s", SEED, i)
                    .isEqualTo(expected.getOrDefault(i, 0L));
        }
    }

    @Test
    void knowsWhatWasCommittedHereAndElsewhereAlsoWhenLoadedAnew() throws SQLException {
        PartitionSequences sequences = new PartitionSequences("view", PARTITION, 1_000_000, null);
        try (Connection connection = view.dataSource().getConnection()) {
            connection.setAutoCommit(false);
            for (int batch = 0; batch < 400; batch++) {
                sequences.begin();
                Map<Integer, Long> changed = new HashMap<>();
                int size = random.nextInt(5) == 0 ? 400 : random.nextInt(4);
                for (int i = 0; i < size; i++) {
                    int aggregate = random.nextInt(5_000);
                    long last = sequences.last(event(aggregate, 1));
                    long sequence = last + 1 + random.nextInt(1 << random.nextInt(20));
                    sequences.applied(event(aggregate, sequence), last);
                    changed.put(aggregate, sequence);
                }
                sequences.write(connection);
                if (random.nextInt(4) == 0) {
                    connection.rollback();
                } else {
                    connection.commit();
                    sequences.committed();
                    expected.putAll(changed);
                }
                if (random.nextInt(20) == 0) {
                    long sequence = random.nextInt(100) + 1L;
                    PartitionSequences.tell(
                            connection, "view", PARTITION, new Aggregate("sales", "order", "o-" + batch), sequence);
                    connection.commit();
                    expected.put(batch, sequence);
                    sequences.refresh(connection);
                }
            }
            sequences.begin();
            assertKnown(sequences, 5_000);
            PartitionSequences anew = new PartitionSequences("view", PARTITION, 1_000_000, null);
            anew.load(connection);
            assertKnown(anew, 5_000);
        }
        assertThat(view.number("SELECT sum(length(data)) FROM tributary.aggregate_sequence"))
                .as("the journal was written anew")
                .isLessThan(400 << 10);
    }

    /** However many aggregates there are, who takes over a partition writes no more than what is new. */
    @Test
    void isNotWrittenAnewForHavingBeenRead() throws SQLException {
        try (Connection connection = view.dataSource().getConnection()) {
            connection.setAutoCommit(false);
            PartitionSequences first = new PartitionSequences("view", PARTITION, 1_000_000, null);
            apply(first, connection, 60_000, 1);
            for (int i = 1; i <= 3; i++) {
                PartitionSequences next = new PartitionSequences("view", PARTITION, 1_000_000, null);
                next.load(connection);
                apply(next, connection, 1, 1 + i);
                assertThat(firstRow()).isEqualTo(1);
            }
            PartitionSequences all = new PartitionSequences("view", PARTITION, 1_000_000, null);
            all.load(connection);
            apply(all, connection, 60_000, 100);
            assertThat(firstRow()).isEqualTo(1);
            all.load(connection);
            apply(all, connection, 1, 101);
            assertThat(firstRow()).as("of a journal that said everything twice").isGreaterThan(1);
        }
    }

    private static void apply(PartitionSequences sequences, Connection connection, int aggregates, long sequence)
            throws SQLException {
        sequences.begin();
        for (int i = 0; i < aggregates; i++) {
            sequences.applied(event(i, sequence), sequence - 1);
        }
        sequences.write(connection);
        connection.commit();
        sequences.committed();
    }

    private long firstRow() throws SQLException {
        return view.number("SELECT min(row_number) FROM tributary.aggregate_sequence");
    }

    @Test
    void forgetsThoseThatHadNoEventForLongest() throws SQLException {
        PartitionSequences sequences = new PartitionSequences("view", PARTITION, 1_000, null);
        try (Connection connection = view.dataSource().getConnection()) {
            connection.setAutoCommit(false);
            for (int i = 0; i < 5_000; i++) {
                sequences.begin();
                sequences.applied(event(i, 7), 0);
                sequences.applied(event(4_711, 7), 0);
                sequences.committed();
            }
            sequences.begin();
        }
        assertThat(sequences.last(event(4_711, 1))).isEqualTo(7);
        assertThat(sequences.last(event(4_999, 1))).isEqualTo(7);
        assertThat(sequences.last(event(4_500, 1))).isEqualTo(7);
        assertThat(sequences.last(event(3_900, 1))).isZero();
    }
}
