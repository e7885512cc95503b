package dev.tributary.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.relay.flow.RelayException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.replication.LogSequenceNumber;

/** Primaries that are replaced: by a standby that has everything, by one that lacks something, by an older copy. */
@Timeout(600)
class FailoverIT {
    private static final Duration SOON = Duration.ofMinutes(2);

    @TempDir
    private Path directory;

    private LocalPostgres primary;
    private LocalPostgres standby;
    private SourceUnderTest source;

    @BeforeEach
    void open() throws SQLException {
        assumeTrue(LocalPostgres.shared().version() >= 17, "PostgreSQL hands no slots over before 17");
        assumeTrue(
                System.getProperty("tributary.stack", "embedded").equals("embedded"),
                "copies the servers' data directories, which containers do not show");
        primary = LocalPostgres.startOwn();
        standby = LocalPostgres.startOwn();
        source = new SourceUnderTest(primary, LocalKafka.shared());
        source.execute(
                "SELECT pg_drop_replication_slot('" + source.config.slot() + "')",
                "SELECT pg_create_logical_replication_slot('" + source.config.slot()
                        + "', 'pgoutput', failover => true)",
                "SELECT pg_create_physical_replication_slot('standby', true)");
        source.useServers(primary, standby);
    }

    @AfterEach
    void close() throws SQLException {
        source.close();
        standby.close();
        primary.close();
    }

    private void makeStandby() throws SQLException {
        DataDirectory of = DataDirectory.of(primary);
        DataDirectory to = DataDirectory.of(standby);
        primary.stop();
        standby.stop();
        to.replaceBy(of);
        to.follow(primary, source.database, "standby");
        primary.start();
        standby.start();
    }

    @Test
    void aFailoverThatLosesNothingIsNoMatterForPeople() throws Exception {
        makeStandby();
        Relay relay = source.startRelay();
        publishSome("before");
        source.topics.awaitExactly(source);
        publishSome("shortly before");
        awaitStandby();
        primary.kill();
        standbyTakesOver();
        publishSome("after");
        source.topics.awaitExactly(source);
        assertThat(relay.status().state()).isEqualTo(SourceState.STREAMING);
        await().atMost(SOON)
                .until(() -> source.topics.lastMark().history().timeline() == 2
                        && source.topics.lastMark().history().xidHorizon() > 0);

        relay.close(); // and it is no matter for those that start later
        Relay next = source.startRelay();
        publishSome("long after");
        source.topics.awaitExactly(source);
        assertThat(next.status().state()).isEqualTo(SourceState.STREAMING);
    }

    @Test
    void aFailoverThatLosesEventsIsNamedWithTheirNumber() throws Exception {
        makeStandby();
        Relay relay = source.startRelay();
        publishSome("before");
        source.topics.awaitExactly(source);
        awaitStandby();
        standby.stop();
        publishSome("lost");
        source.topics.awaitExactly(source);
        primary.kill();
        standby.start();
        standbyTakesOver();
        publishSome("after");
        await().atMost(SOON).untilAsserted(() -> {
            assertThat(relay.status().state()).isEqualTo(SourceState.SLOT_LOST);
            assertThat(relay.status().reason())
                    .contains("10 events")
                    .contains("failover to timeline 2")
                    .contains("lost them");
            assertThat(relay.status().remedy()).contains("recover");
        });
        assertThat(source.topics.size()).isEqualTo(20);

        assertThatThrownBy(() -> RecoverProcess.run(source))
                .isInstanceOf(RelayException.class)
                .hasMessageContaining("nothing was changed");
        assertThat(RecoverProcess.inANewEpoch(source))
                .anyMatch(line -> line.contains("Kafka holds 10 events that this database never had"))
                .anyMatch(line -> line.contains("published 10 events in epoch 2"));
        awaitRecovered(relay);
    }

    /** The relay goes on by itself, in a new epoch; what readers have got beyond that stays where it is. */
    private void awaitRecovered(Relay relay) throws Exception {
        await().atMost(SOON).until(() -> relay.status().state() == SourceState.STREAMING);
        publishSome("recovered");
        source.topics.awaitCommittedAmongOthers(source);
        assertThat(source.topics.lastMark().epoch()).isEqualTo(2);
        relay.close();
        Relay next = source.startRelay();
        publishSome("recovered");
        source.topics.awaitCommittedAmongOthers(source);
        assertThat(next.status().state()).isEqualTo(SourceState.STREAMING);
    }

    @Test
    void anOlderCopyThatIsPutBackIsNamed() throws Exception {
        Relay relay = source.startRelay();
        publishSome("before");
        source.topics.awaitExactly(source);
        DataDirectory data = DataDirectory.of(primary);
        primary.stop();
        DataDirectory backup = data.copyTo(directory.resolve("backup"));
        primary.start();
        publishSome("lost");
        source.topics.awaitExactly(source);
        ProgressMark lostMark = source.topics.lastMark();
        primary.stop();
        data.replaceBy(backup);
        primary.start();
        await().atMost(SOON).untilAsserted(() -> {
            assertThat(relay.status().state()).isEqualTo(SourceState.SLOT_LOST);
            assertThat(relay.status().reason()).contains("gone back");
            assertThat(relay.status().remedy()).contains("recover");
        });
        Relay late = source.startRelay(); // sees it, and nothing of before
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(late.status().reason()).contains("gone back"));
        publishSome("lost"); // others of that name
        publishSome("after");
        // Until it has written more than Kafka knows of, in more transactions, and looks right to who has not seen it
        // before
        String known = LogSequenceNumber.valueOf(lostMark.lsn()).asString();
        for (int i = 0;
                i < 30
                        || !source.text("SELECT pg_current_wal_lsn() > '" + known + "'")
                                .equals("t");
                i++) {
            source.execute("SELECT pg_logical_emit_message(true, 'others', repeat('x', 20000))");
        }
        relay.close();
        Relay next = source.startRelay();
        await().atMost(SOON).untilAsserted(() -> {
            assertThat(next.status().state()).isEqualTo(SourceState.SLOT_LOST);
            assertThat(next.status().reason()).containsAnyOf("that Kafka does not hold", "other events in Kafka");
        });
        assertThat(source.topics.size()).isEqualTo(20);
        assertThat(RecoverProcess.inANewEpoch(source))
                .anyMatch(line -> line.contains("published 20 events in epoch 2"));
        next.close(); // it is the other one's turn
        awaitRecovered(late);
    }

    @Test
    void anotherClusterIsNamedThoughItHasNoSlot() throws Exception {
        Relay relay = source.startRelay();
        publishSome("before");
        source.topics.awaitExactly(source);
        standby.createDatabaseNamed(source.database);
        primary.kill(); // and what answers in its place has nothing to do with it
        await().atMost(SOON).untilAsserted(() -> {
            assertThat(relay.status().state()).isEqualTo(SourceState.SLOT_LOST);
            assertThat(relay.status().reason()).contains("another cluster");
            assertThat(relay.status().remedy()).contains("recover");
        });
        source.prepareDatabase(); // as from a dump, with some new events
        publishSome("after");
        assertThat(RecoverProcess.inANewEpoch(source))
                .anyMatch(line -> line.contains("published 10 events in epoch 2"));
        awaitRecovered(relay);
    }

    private void publishSome(String aggregateId) throws SQLException {
        for (int i = 0; i < 10; i++) {
            source.execute("SELECT tributary.publish('order', '" + aggregateId + "', 'order.placed.v1', '{}')");
        }
    }

    /** Until it has what the primary has, and the slot. */
    private void awaitStandby() throws SQLException {
        String end = source.text("SELECT pg_current_wal_flush_lsn()");
        await().atMost(SOON).ignoreExceptions().until(() -> {
            String url = standby.url("postgres");
            try (var connection = standby.connect(url)) {
                if (SourceUnderTest.text(connection, "SELECT pg_last_wal_replay_lsn() >= '" + end + "'")
                        .equals("f")) {
                    return false;
                }
                // What a slot has to get past before it can be copied; the server would write one every 15 s
                source.execute("SELECT pg_log_standby_snapshot()");
                SourceUnderTest.text(connection, "SELECT pg_sync_replication_slots()");
                return SourceUnderTest.text(
                                connection, "SELECT count(*) FROM pg_replication_slots WHERE synced AND NOT temporary")
                        .equals("1");
            }
        });
    }

    private void standbyTakesOver() throws SQLException {
        try (var connection = standby.connect(standby.url("postgres"))) {
            SourceUnderTest.text(connection, "SELECT pg_promote()");
        }
    }
}
