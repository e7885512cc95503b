package dev.tributary.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.ProgressMark.Publication;
import dev.tributary.relay.source.PostgresDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an altered publication keeps from the relay is noticed, named and recovered; what keeps nothing from it stops nobody. */
@Timeout(600)
class PublicationIT {
    private static final Duration SOON = Duration.ofMinutes(2);

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
    void eventsThatThePublicationKeepsFromTheRelayAreNamedAndRecovered() throws Exception {
        Relay relay = source.startRelay();
        source.publish("order", "1", 2);
        source.topics.awaitExactly(source);
        source.execute("ALTER PUBLICATION tributary SET (publish_via_partition_root = false)");
        source.publish("order", "1", 2);
        awaitState(relay, SourceState.SLOT_LOST);
        assertThat(relay.status().reason()).contains("publication tributary does not have table tributary.outbox");
        source.execute("ALTER PUBLICATION tributary SET (publish_via_partition_root = true)");
        source.publish("order", "1", 1);
        assertThat(RecoverProcess.run(source)).anyMatch(line -> line.contains("nothing to recover"));
        assertThat(RecoverProcess.inANewEpoch(source)).anyMatch(line -> line.contains("published 3 events in epoch 2"));
        awaitState(relay, SourceState.STREAMING);
        source.topics.awaitExactly(source);

        source.execute("DROP TABLE tributary.event_store CASCADE");
        try (Connection connection = source.connect()) {
            OutboxSchema.apply(connection);
        }
        source.execute("SELECT tributary.append('customer', '1', 0, 'customer.named.v1', '{}')");
        awaitState(relay, SourceState.SLOT_LOST);
        assertThat(relay.status().reason()).contains("does not have table tributary.event_store");
        source.execute("ALTER PUBLICATION tributary ADD TABLE tributary.event_store");
        assertThat(RecoverProcess.inANewEpoch(source)).anyMatch(line -> line.contains("published 1 events in epoch 3"));
        awaitState(relay, SourceState.STREAMING);
        source.topics.awaitExactly(source);
    }

    @Test
    void eventsThatAPublicationHasKeptFromTheRelayAreNamedThoughItIsMended() throws Exception {
        Relay relay = source.startRelay();
        source.publish("order", "1", 2);
        awaitLookAtPublication(1);
        try (Connection open = source.connect()) {
            open.setAutoCommit(false);
            source.execute("ALTER PUBLICATION tributary SET (publish_via_partition_root = false)");
            SourceUnderTest.run(open, SourceUnderTest.publishing("order", "2"));
            source.execute(
                    SourceUnderTest.publishing("order", "1"),
                    "ALTER PUBLICATION tributary SET (publish_via_partition_root = true)");
            // Time enough to look at it, which it does every 5 s, and to compare, which has to wait for this
            // transaction
            await().atMost(SOON).until(() -> {
                ProgressMark mark = source.topics.lastMark();
                return mark.timeMillis() - knownPublication(mark).timeMillis() > 12_000;
            });
            assertThat(relay.status().state()).isEqualTo(SourceState.STREAMING);
            open.commit();
        }
        awaitState(relay, SourceState.SLOT_LOST);
        // Of the one that committed later it depends on PostgreSQL
        assertThat(relay.status().reason()).matches("publication tributary has kept [12] events from the relay.*");
        relay.close();

        Relay next = source.startRelay();
        awaitState(next, SourceState.SLOT_LOST);
        assertThat(next.status().reason()).matches("publication tributary has kept [12] events from the relay.*");
        assertThat(RecoverProcess.inANewEpoch(source)).anyMatch(line -> line.contains("in epoch 2"));
        awaitState(next, SourceState.STREAMING);
        source.topics.awaitExactly(source);
        awaitLookAtPublication(2);
        next.close();

        source.execute(
                "ALTER PUBLICATION tributary DROP TABLE tributary.event_store",
                "SELECT tributary.append('customer', '1', 0, 'customer.named.v1', '{}')",
                "ALTER PUBLICATION tributary ADD TABLE tributary.event_store");
        Relay later = source.startRelay();
        awaitState(later, SourceState.SLOT_LOST);
        assertThat(later.status().reason()).startsWith("publication tributary has kept 1 events from the relay");
        assertThat(RecoverProcess.inANewEpoch(source)).anyMatch(line -> line.contains("published 1 events in epoch 3"));
        awaitState(later, SourceState.STREAMING);
        source.topics.awaitExactly(source);
    }

    @Test
    void alterationsOfAPublicationThatKeepNothingFromTheRelayStopNobody() throws Exception {
        Relay relay = source.startRelay();
        source.publish("order", "1", 2);
        String identity = awaitLookAtPublication(1).identity();
        try (Connection writer = source.begin("of a transaction that stays open for a while");
                WritersUnderTest writers = new WritersUnderTest(source, 1)) {
            source.execute(
                    "CREATE TABLE other (id int PRIMARY KEY)",
                    "ALTER PUBLICATION tributary ADD TABLE other",
                    "VACUUM FULL pg_publication",
                    "VACUUM (FULL, FREEZE) pg_publication_rel",
                    "INSERT INTO other VALUES (1)");
            try (PostgresDatabase database = new PostgresDatabase(source.config)) {
                assertThat(database.publicationIdentity()).isEqualTo(identity);
            }
            source.execute(
                    "ALTER PUBLICATION tributary SET (publish = 'insert')",
                    "DO $$ BEGIN ALTER PUBLICATION tributary DROP TABLE tributary.event_store;"
                            + " ALTER PUBLICATION tributary ADD TABLE tributary.event_store; END $$");
            long before = writers.commits();
            await().atMost(SOON).until(() -> writers.commits() > before + 200);
            writer.commit();
            await().atMost(SOON).until(() -> !knownPublication(source.topics.lastMark())
                    .identity()
                    .equals(identity));
        }
        assertThat(relay.status().state()).isEqualTo(SourceState.STREAMING);
        assertThat(relay.status().progress().retries()).isZero();
        source.topics.awaitExactly(source);
    }

    /** What marks of {@code epoch} say of the publication. */
    private Publication awaitLookAtPublication(int epoch) {
        await().atMost(SOON)
                .until(() -> source.topics.lastMark().epoch() == epoch
                        && source.topics.lastMark().publication() != null);
        return knownPublication(source.topics.lastMark());
    }

    private static Publication knownPublication(ProgressMark mark) {
        return Objects.requireNonNull(mark.publication());
    }

    private static void awaitState(Relay relay, SourceState state) {
        await().atMost(SOON).until(() -> relay.status().state() == state);
    }
}
