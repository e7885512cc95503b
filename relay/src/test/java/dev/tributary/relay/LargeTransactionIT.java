package dev.tributary.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.wire.Position;
import java.sql.SQLException;
import java.time.Duration;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * One transaction, many times larger than the heap of 256 MB of the relay's process. {@code -Dlarge.events=5000000
 * -Dlarge.megabytes=1024} for the full size.
 */
@Timeout(1800)
class LargeTransactionIT {
    private static final int EVENTS = Integer.getInteger("large.events", 300_000);
    private static final int MEGABYTES = Integer.getInteger("large.megabytes", 300);
    private static final int PAYLOAD_BYTES = 512 * 1024;

    @Test
    void manyEventsPassThroughASmallHeap() throws Exception {
        relayed(EVENTS, "convert_to('{\"number\": ' || i || '}', 'UTF8')");
    }

    @Test
    void manyBytesPassThroughASmallHeap() throws Exception {
        relayed(
                MEGABYTES * 1024 / (PAYLOAD_BYTES / 1024),
                "convert_to(repeat(md5(i::text), " + PAYLOAD_BYTES / 32 + "), 'UTF8')");
    }

    private static void relayed(int events, String payload) throws Exception {
        try (SourceUnderTest source = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared());
                JavaProcess relay = RelayProcess.start(source)) {
            source.execute("ALTER TABLE tributary.outbox_default ALTER payload SET STORAGE EXTERNAL");
            insert(source, events, payload);
            long start = System.nanoTime();
            await().atMost(Duration.ofMinutes(20))
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> !relay.isAlive() || source.topics.size() >= events);
            assertThat(relay.isAlive()).as("the relay lives").isTrue();
            System.out.printf(
                    "%d events of one transaction relayed in %.1f s%n", events, (System.nanoTime() - start) / 1e9);
            checkEachOnceAndInOrder(source, events);
        }
    }

    private static void insert(SourceUnderTest source, int events, String payload) throws SQLException {
        source.execute("INSERT INTO tributary.outbox SELECT gen_random_uuid(), 'bulk', (i % 1000)::text, NULL,"
                + " 'thing.happened.v1', 'application/json', " + payload + ", NULL, now()"
                + " FROM generate_series(1, " + events + ") i");
    }

    private static void checkEachOnceAndInOrder(SourceUnderTest source, int events) {
        BitSet ordinals = new BitSet(events);
        Map<TopicPartition, Position> last = new HashMap<>();
        source.topics.forEachRecord(record -> {
            Position position = Position.parse(TopicsUnderTest.header(record, "ce_position"));
            assertThat(ordinals.get(position.ordinal()))
                    .as("%s twice", position)
                    .isFalse();
            ordinals.set(position.ordinal());
            Position before = last.put(new TopicPartition(record.topic(), record.partition()), position);
            assertThat(before == null || position.isAfter(before))
                    .as("%s after %s", position, before)
                    .isTrue();
        });
        assertThat(ordinals.cardinality()).isEqualTo(events);
        assertThat(ordinals.length()).isEqualTo(events);
    }
}
