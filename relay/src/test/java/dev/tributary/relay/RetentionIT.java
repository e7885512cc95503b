package dev.tributary.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.retention.RetentionSettings;
import dev.tributary.outbox.retention.RetentionStatus;
import dev.tributary.relay.setup.Finding;
import dev.tributary.relay.setup.ParkedAggregates;
import dev.tributary.relay.setup.Preflight;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A relay whose partitions are seconds wide. */
class RetentionIT {
    private static final Duration SOON = Duration.ofMinutes(2);
    private static final RetentionSettings SECONDS =
            new RetentionSettings(Duration.ofSeconds(2), Duration.ofSeconds(1), 3, Duration.ofSeconds(2));

    private final Set<String> published = new HashSet<>();
    private SourceUnderTest source;

    @BeforeEach
    void open() throws SQLException {
        source = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared());
    }

    @AfterEach
    void close() throws SQLException {
        source.close();
    }

    @Test
    void theOutboxKeepsItsSizeThroughADeadRelayAndALostSlot() throws Exception {
        publish(); // before anybody makes partitions: the default one has it
        source.config = source.config.withRetention(SECONDS);
        Relay relay = source.startRelay();
        await().atMost(SOON).until(() -> {
            publish();
            return gone() > 5 && retention(relay).defaultBytes() == 0;
        });
        assertThat(Long.parseLong(source.text("SELECT count(*) FROM tributary.outbox")))
                .isLessThan(published.size());
        awaitAllOnce();

        relay.close();
        publish();
        String rows = source.text("SELECT count(*) FROM tributary.outbox");
        await().atMost(SOON)
                .until(
                        () -> { // later than all that was made ahead
                            publish();
                            return !source.text("SELECT count(*) FROM tributary.outbox_default")
                                    .equals("0");
                        });
        assertThat(Long.parseLong(source.text("SELECT count(*) FROM tributary.outbox")))
                .as("nothing is dropped")
                .isGreaterThan(Long.parseLong(rows));
        assertThat(Preflight.of(source.config, false))
                .filteredOn(finding -> finding.severity() == Finding.Severity.WARNING)
                .extracting(Finding::message)
                .anyMatch(message -> message.contains("lie in the default partition"));

        source.dropSlot(); // and what was dropped is not taken for lost
        List<String> recovered = RecoverProcess.run(source);
        assertThat(recovered)
                .anyMatch(line -> line.contains("in epoch 1"))
                .noneMatch(line -> line.contains("UNPROVEN"));
        Relay next = source.startRelay();
        await().atMost(SOON).until(() -> {
            publish();
            return retention(next).leading() && retention(next).defaultBytes() == 0;
        });
        awaitAllOnce();
    }

    /** As after a {@code recover} that failed half-way, or with a slot that somebody moves. */
    @Test
    void nothingIsDroppedWhileASlotClaimsWhatKafkaLacks() throws Exception {
        source.config = source.config.withRetention(SECONDS);
        Relay first = source.startRelay();
        await().atMost(SOON).until(() -> {
            publish();
            return retention(first).partitions() > 3;
        });
        awaitAllOnce();
        first.close();
        publish();
        String lacking = source.text("SELECT tributary.publish('order', 'o', 'order.placed.v1', '{}')");
        published.add(lacking);
        String moved = "pg_replication_slot_advance('" + source.config.slot() + "', pg_current_wal_lsn())";
        source.whileFree(moved);

        Relay next = source.startRelay();
        await().atMost(SOON).until(() -> {
            publish();
            source.whileFree(moved);
            assertThat(source.text("SELECT count(*) FROM tributary.outbox WHERE id = '" + lacking + "'"))
                    .isEqualTo("1");
            return next.status().state() == SourceState.SLOT_LOST
                    && retention(next).overdue().compareTo(SECONDS.window().multipliedBy(3)) > 0
                    && retention(next).trouble().contains("Kafka");
        });
        RecoverProcess.run(source);
        await().atMost(SOON).until(() -> {
            publish();
            return next.status().state() == SourceState.STREAMING
                    && source.text("SELECT count(*) FROM tributary.outbox WHERE id = '" + lacking + "'")
                            .equals("0");
        });
        awaitAllOnce();
    }

    @Test
    void whatIsReleasedIntoASealedPartitionBreaksTheSeal() throws Exception {
        source.execute(
                "CREATE TABLE tributary.outbox_old PARTITION OF tributary.outbox FOR VALUES FROM ('2020-01-01Z') TO ('2020-01-02Z')",
                "CREATE TABLE tributary.outbox_older PARTITION OF tributary.outbox FOR VALUES FROM ('2019-12-31Z') TO ('2020-01-01Z')",
                "INSERT INTO tributary.outbox SELECT gen_random_uuid(), 'order', 'other', NULL, 'order.placed.v1',"
                        + " 'application/json', '{}', NULL, at FROM (VALUES ('2020-01-01 12:00Z'::timestamptz),"
                        + " ('2019-12-31 12:00Z')) times (at)",
                "INSERT INTO tributary.outbox_partition (name, sealed_lsn, sealed_size, watched)"
                        + " SELECT name, pg_current_wal_insert_lsn(), pg_relation_size('tributary.' || name), '7 days'"
                        + " FROM (VALUES ('outbox_old'), ('outbox_older')) names (name)",
                "INSERT INTO tributary.dead_letter (source, position, id, aggregate_type, aggregate_id, sequence, type,"
                        + " content_type, payload, headers, occurred_at) VALUES ('" + source.config.name()
                        + "', '00000001-0000000000000001-00000000', gen_random_uuid(), 'order', 'late', 1, 'order.placed.v1',"
                        + " 'application/json', '{}', NULL, '2020-01-01 13:00Z')");
        source.startRelay();
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(new ParkedAggregates(source.config).release("order", "late"))
                        .isEqualTo(1));
        assertThat(source.text("SELECT string_agg(name, ' ') FROM tributary.outbox_partition"
                        + " WHERE sealed_size = pg_relation_size('tributary.' || name) AND watched IS NOT NULL"))
                .isEqualTo("outbox_older");
        assertThat(source.text("SELECT pg_relation_size('tributary.outbox_old')"))
                .as("no size tells of it")
                .isEqualTo(source.text("SELECT pg_relation_size('tributary.outbox_older')"));
        source.topics.awaitExactly(source);
    }

    @Test
    void aRoleThatMayNotIsToldAndTheSourceStreams() throws Exception {
        String role = "r_" + source.config.name();
        source.execute(
                "CREATE ROLE " + role + " LOGIN REPLICATION PASSWORD 'x'",
                "GRANT USAGE ON SCHEMA tributary TO " + role,
                "GRANT SELECT ON tributary.aggregate, tributary.dead_letter, tributary.outbox, tributary.event_store TO "
                        + role);
        try {
            source.config = source.config.withRetention(SECONDS);
            Relay relay = source.startRelay(as(role));
            publish();
            awaitAllOnce();
            await().atMost(SOON).until(() -> retention(relay).trouble().contains("permission denied"));
            assertThat(relay.status().state()).isEqualTo(SourceState.STREAMING);
            assertThat(Preflight.of(as(role), true))
                    .extracting(Finding::message)
                    .anyMatch(message -> message.contains("no member of the role that owns tributary.outbox"));
            relay.close();

            // Tables whose owner is nobody's login, so that the relay owns nothing of the service's
            source.execute(
                    "CREATE ROLE o_" + role + "; GRANT USAGE, CREATE ON SCHEMA tributary TO o_" + role,
                    "ALTER TABLE tributary.outbox OWNER TO o_" + role,
                    "ALTER TABLE tributary.outbox_default OWNER TO o_" + role,
                    "ALTER TABLE tributary.outbox_partition OWNER TO o_" + role,
                    "ALTER TABLE tributary.outbox_dropped OWNER TO o_" + role,
                    "GRANT o_" + role + " TO " + role);
            Relay member = source.startRelay(as(role));
            await().atMost(SOON).until(() -> retention(member).partitions() > 3);
            member.close();
        } finally {
            source.execute("REASSIGN OWNED BY o_" + role + " TO CURRENT_USER; DROP OWNED BY o_" + role + ", " + role
                    + "; DROP ROLE o_" + role + ", " + role);
        }
    }

    private dev.tributary.relay.config.SourceConfig as(String role) {
        return new dev.tributary.relay.config.SourceConfig(
                        source.config.name(),
                        source.config.url(),
                        role,
                        "x",
                        source.config.engine(),
                        source.config.topic(),
                        1)
                .withRetention(SECONDS);
    }

    private static RetentionStatus retention(Relay relay) {
        return Objects.requireNonNullElse(relay.status().retention(), RetentionStatus.UNKNOWN);
    }

    private void publish() throws SQLException {
        published.add(source.text("SELECT tributary.publish('order', 'o', 'order.placed.v1', '{}')"));
    }

    private long gone() throws SQLException {
        return published.size() - Long.parseLong(source.text("SELECT count(*) FROM tributary.outbox"));
    }

    /** The tables do not tell any more. */
    private void awaitAllOnce() {
        await().atMost(SOON).until(() -> source.topics.size() >= published.size());
        assertThat(source.topics.records())
                .extracting(record -> TopicsUnderTest.header(record, "ce_id"))
                .containsExactlyInAnyOrderElementsOf(published);
    }
}
