package dev.tributary.relay.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.config.SourceConfig.Engine;
import dev.tributary.relay.flow.ChangeListener;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.routing.EventRouter;
import dev.tributary.relay.source.debezium.DebeziumSource;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Two engines that know nothing of each other read the same log, and make the same records of it. Seeds can be given with
 * {@code -Dseed=…}, more of them with {@code -Dseeds=…}.
 */
@Timeout(1800)
class EnginesAgreeIT {
    private static final int SEEDS = Integer.getInteger("seeds", 4);
    private static final int STEPS = 400;

    @Test
    void everyRecordIsTheSameThroughBothEngines() throws Exception {
        Long given = Long.getLong("seed");
        for (int i = 0; i < (given == null ? SEEDS : 1); i++) {
            long seed = given == null ? System.nanoTime() : given;
            try {
                compare(seed);
            } catch (Exception | AssertionError e) {
                throw new AssertionError("-Dseed=" + seed, e);
            }
        }
    }

    private static void compare(long seed) throws Exception {
        try (EventsUnderTest database = new EventsUnderTest(LocalPostgres.shared(), Engine.PGOUTPUT)) {
            SourceConfig other = named(database.config, database.config.name() + "_d");
            database.createSlot(other.slot());
            UUID last = new UUID(seed, seed);
            Records ours = new Records(last);
            Records theirs = new Records(last);
            try (ChangeSource pgoutput = open(database.config);
                    ChangeSource debezium = open(other);
                    RandomWorkload workload = new RandomWorkload(database, seed)) {
                for (int i = 0; i < STEPS; i++) {
                    workload.step();
                    while (pgoutput.poll(ours)) {}
                    while (debezium.poll(theirs)) {}
                }
                workload.end(last);
                await().atMost(Duration.ofSeconds(60)).pollInSameThread().until(() -> {
                    while (pgoutput.poll(ours)) {}
                    while (debezium.poll(theirs)) {}
                    return ours.isComplete && theirs.isComplete;
                });
            }
            assertThat(theirs.records).isEqualTo(ours.records);
            assertThat(theirs.ends).isEqualTo(ours.ends);
            checkPositions(ours, theirs);
            System.out.println("seed " + seed + ": " + ours.records.size() + " events in " + ours.ends.size()
                    + " transactions are the same through both engines");
        }
    }

    /** Whatever the record's place in a page or segment: begin and end are multiples of 8, and nothing lies between. */
    private static void checkPositions(Records ours, Records theirs) {
        long endBefore = 0;
        int event = 0;
        for (int transaction = 0; transaction < ours.ends.size(); transaction++) {
            long end = ours.ends.get(transaction);
            for (; event < ours.lastOf.get(transaction); event++) {
                Position our = ours.positions.get(event);
                Position their = theirs.positions.get(event);
                assertThat(our.commitLsn() % 8).isZero();
                assertThat(end % 8).isZero();
                assertThat(our.commitLsn()).isGreaterThanOrEqualTo(endBefore).isLessThan(end);
                assertThat(their).isEqualTo(new Position(our.epoch(), end - 1, our.ordinal()));
            }
            endBefore = end;
        }
    }

    private static ChangeSource open(SourceConfig source) throws SQLException {
        try (PostgresDatabase asked = new PostgresDatabase(source)) {
            return source.name().endsWith("_d")
                    ? new DebeziumSource(source, asked.server(), 1, asked.slotConfirmedLsn())
                    : new PgOutputSource(source, asked.server(), 1, asked.slotConfirmedLsn());
        }
    }

    private static SourceConfig named(SourceConfig source, String name) {
        return new SourceConfig(
                name,
                source.url(),
                source.username(),
                source.password(),
                Engine.DEBEZIUM,
                source.topic(),
                source.epoch());
    }

    /** What would go to Kafka, but for the position. */
    private static final class Records implements ChangeListener {
        private final EventRouter router = new EventRouter(new SourceConfig(
                "s", "jdbc:postgresql:s", "relay", "", Engine.PGOUTPUT, "${source}.${aggregate_type}", 1));
        private final UUID last;
        final List<String> records = new ArrayList<>();
        final List<Position> positions = new ArrayList<>();
        final List<Long> ends = new ArrayList<>();
        final List<Integer> lastOf = new ArrayList<>();
        boolean isComplete;
        private boolean isLastSeen;

        Records(UUID last) {
            this.last = last;
        }

        @Override
        public void event(OutboxEvent event) {
            ProducerRecord<byte[], byte[]> record = router.route(event);
            records.add(record.topic() + " " + record.timestamp() + " "
                    + HexFormat.of().formatHex(record.key()) + " "
                    + java.util.Arrays.hashCode(record.value()) + "/" + record.value().length + " "
                    + StreamSupport.stream(record.headers().spliterator(), false)
                            .filter(header -> !header.key().equals("ce_position"))
                            .map(header -> header.key() + "=" + new String(header.value(), StandardCharsets.UTF_8))
                            .collect(Collectors.joining("|")));
            positions.add(event.position());
            isLastSeen |= event.id().equals(last);
        }

        @Override
        public void committed(long endLsn, Instant committedAt) {
            if (records.size() > (lastOf.isEmpty() ? 0 : lastOf.get(lastOf.size() - 1))) {
                ends.add(endLsn);
                lastOf.add(records.size());
            }
            isComplete |= isLastSeen;
        }
    }
}
