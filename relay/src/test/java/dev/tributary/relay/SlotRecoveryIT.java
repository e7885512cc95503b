package dev.tributary.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.ProgressMark.Publication;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.PostgresDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.PGConnection;
import org.postgresql.replication.PGReplicationStream;

/** A slot is lost in every way there is; after {@code recover} Kafka has each event once and in order. */
@Timeout(600)
class SlotRecoveryIT {
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
    void aSlotDroppedUnderLoadIsRecoveredUnderLoadAndTheRelayGoesOnByItself() throws Exception {
        Relay relay = source.startRelay();
        try (WritersUnderTest writers = new WritersUnderTest(source, 2)) {
            await().atMost(SOON).until(() -> source.topics.size() > 300);
            source.dropSlot();
            awaitState(relay, SourceState.SLOT_LOST);
            long before = writers.commits();
            await().atMost(SOON).until(() -> writers.commits() > before + 300);
            assertThat(RecoverProcess.run(source)).anyMatch(line -> line.contains("in epoch 1"));
            awaitState(relay, SourceState.STREAMING);
            long after = writers.commits();
            await().atMost(SOON).until(() -> writers.commits() > after + 100);
        }
        source.topics.awaitExactly(source);
        assertThat(source.text(
                        "SELECT coalesce(to_jsonb(s) ->> 'failover', 'true') FROM pg_replication_slots s WHERE slot_name = '"
                                + source.config.slot() + "'"))
                .as("also where PostgreSQL is too old to know it")
                .isEqualTo("true");
    }

    @Test
    void anAdvancedSlotIsRecovered() throws Exception {
        Relay relay = source.startRelay();
        publish("order", "1", 5);
        source.topics.awaitExactly(source);
        relay.close();
        publish("order", "1", 5);
        publish("customer", "1", 5);
        source.execute("SELECT pg_replication_slot_advance('" + source.config.slot() + "', pg_current_wal_lsn())");
        publish("order", "1", 5);
        Relay next = source.startRelay();
        awaitState(next, SourceState.SLOT_LOST);

        List<String> foreseen = RecoverProcess.dryRun(source);
        assertThat(foreseen)
                .anyMatch(line -> line.contains(source.config.name() + ".order lacks 10 events, the first "))
                .anyMatch(line -> line.contains(source.config.name() + ".customer lacks 5 events"))
                .anyMatch(line -> line.contains("would replace slot " + source.config.slot()
                        + " and publish 15 events in epoch 1; nothing was changed"));
        assertThat(source.topics.size()).isEqualTo(5);
        assertThat(next.status().state()).isEqualTo(SourceState.SLOT_LOST);

        assertThat(RecoverProcess.run(source)).anyMatch(line -> line.contains("published 15 events in epoch 1"));
        source.topics.awaitExactly(source);
        publish("order", "1", 5);
        source.topics.awaitExactly(source);
        assertThat(next.status().state()).isEqualTo(SourceState.STREAMING);
        assertThat(RecoverProcess.run(source)).anyMatch(line -> line.contains("nothing to recover"));
    }

    @Test
    void eventsThatThePublicationKeepsFromTheRelayAreNamedAndRecovered() throws Exception {
        Relay relay = source.startRelay();
        publish("order", "1", 2);
        source.topics.awaitExactly(source);
        source.execute("ALTER PUBLICATION tributary SET (publish_via_partition_root = false)");
        publish("order", "1", 2);
        awaitState(relay, SourceState.SLOT_LOST);
        assertThat(relay.status().reason()).contains("publication tributary does not have table tributary.outbox");
        source.execute("ALTER PUBLICATION tributary SET (publish_via_partition_root = true)");
        publish("order", "1", 1);
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
        publish("order", "1", 2);
        awaitLookAtPublication(1);
        try (Connection open = source.connect()) {
            open.setAutoCommit(false);
            source.execute("ALTER PUBLICATION tributary SET (publish_via_partition_root = false)");
            SourceUnderTest.run(open, publishing("order", "2"));
            source.execute(
                    publishing("order", "1"), "ALTER PUBLICATION tributary SET (publish_via_partition_root = true)");
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
        publish("order", "1", 2);
        String identity = awaitLookAtPublication(1).identity();
        try (Connection writer = begin("of a transaction that stays open for a while");
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

    @Test
    void transactionsThatWereOpenWhenTheSlotWasLostAreRecoveredOrNotAsTheyEnd() throws Exception {
        source.startRelay();
        publish("order", "1", 1);
        try (Connection committed = begin("committed");
                Connection rolledBack = begin("rolled back");
                Connection savepoint = begin("savepoint");
                Connection prepared = begin("prepared");
                Connection open = begin("open")) {
            SourceUnderTest.run(savepoint, "SAVEPOINT s");
            SourceUnderTest.run(savepoint, publishing("order", "nested"));
            SourceUnderTest.run(prepared, "PREPARE TRANSACTION '" + source.config.name() + "'");
            publish("order", "1", 20);
            source.topics.awaitExactly(source);
            source.dropSlot();
            publish("order", "2", 3);
            committed.commit();
            rolledBack.rollback();
            SourceUnderTest.run(savepoint, "RELEASE s");
            savepoint.commit();
            source.execute("COMMIT PREPARED '" + source.config.name() + "'");

            CompletableFuture<List<String>> recovered = CompletableFuture.supplyAsync(() -> {
                try {
                    return RecoverProcess.run(source);
                } catch (SQLException e) {
                    throw new IllegalStateException(e);
                }
            });
            await().atMost(SOON).until(() -> source.text("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '"
                            + source.config.slot() + "'")
                    .equals("1"));
            open.commit(); // the slot's creation waits for it
            assertThat(recovered.get()).anyMatch(line -> line.contains("published 8 events"));
        }
        publish("order", "1", 1);
        source.topics.awaitExactly(source);
    }

    @Test
    void aRecoveryThatIsKilledIsRunAgain() throws Exception {
        Relay relay = source.startRelay();
        publish("order", "1", 1);
        source.topics.awaitExactly(source);
        relay.close();
        source.execute("SELECT pg_drop_replication_slot('" + source.config.slot() + "')");
        source.execute(
                "SELECT tributary.publish('order', (i % 50)::text, 'order.placed.v1', json_build_object('x', repeat('x', 3000)))"
                        + " FROM generate_series(1, 10000) i");
        try (JavaProcess recover = RecoverProcess.start(source)) {
            // It stands still while somebody counts: on a loaded machine that takes longer than the rest of it
            await().atMost(SOON).pollInterval(Duration.ofMillis(10)).until(() -> {
                recover.pause();
                boolean halfWay = source.topics.size() > 500;
                if (!halfWay) {
                    recover.resume();
                }
                return halfWay;
            });
            recover.kill();
        }
        Relay next = source.startRelay();
        awaitState(next, SourceState.SLOT_LOST);
        assertThat(next.status().reason()).contains("was moved to");
        long published = source.topics.size(); // a request that was on its way has arrived by now
        assertThat(published).as("killed half-way").isLessThan(10_000);

        assertThat(RecoverProcess.run(source)).anyMatch(line -> line.contains("published " + (10_001 - published)));
        source.topics.awaitExactly(source);
        awaitState(next, SourceState.STREAMING);
        publish("order", "1", 1);
        source.topics.awaitExactly(source);
    }

    @Test
    void aSlotThatTheServerInvalidatedIsRecovered() throws Exception {
        source.close();
        Map<String, String> forgetful =
                Map.of("max_slot_wal_keep_size", "1MB", "max_wal_size", "32MB", "min_wal_size", "32MB");
        try (LocalPostgres postgres = LocalPostgres.startOwn(forgetful)) {
            source = new SourceUnderTest(postgres, LocalKafka.shared());
            Relay relay = source.startRelay();
            publish("order", "1", 5);
            source.topics.awaitExactly(source);
            relay.close();
            publish("order", "1", 5);
            await().atMost(SOON).until(() -> {
                source.execute(
                        "SELECT pg_logical_emit_message(false, 'x', 'x')", "SELECT pg_switch_wal()", "CHECKPOINT");
                return source.text("SELECT wal_status FROM pg_replication_slots")
                        .equals("lost");
            });
            Relay next = source.startRelay();
            awaitState(next, SourceState.SLOT_LOST);
            assertThat(next.status().reason()).contains("invalidated");
            assertThat(next.status().slot().danger()).contains("lost");
            assertThat(RecoverProcess.run(source)).anyMatch(line -> line.contains("published 5 events in epoch 1"));
            awaitState(next, SourceState.STREAMING);
            publish("order", "1", 5);
            source.topics.awaitExactly(source);
            source.close();
        }
        source = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared());
    }

    @Test
    void whereNothingIsMissingOnlyTheSlotIsReplaced() throws Exception {
        Relay relay = source.startRelay();
        publish("order", "1", 5);
        source.topics.awaitExactly(source);
        source.dropSlot();
        awaitState(relay, SourceState.SLOT_LOST);
        assertThat(RecoverProcess.run(source)).anyMatch(line -> line.contains("published 0 events"));
        awaitState(relay, SourceState.STREAMING);
        publish("order", "1", 5);
        source.topics.awaitExactly(source);
    }

    @Test
    void whatIsSetAsideStaysSetAside() throws Exception {
        source.config = source.config.withPoison(SourceConfig.Poison.DEAD_LETTER);
        source.kafkaProperties.put("max.request.size", "10000");
        Relay relay = source.startRelay();
        publish("order", "flows", 1);
        source.execute("SELECT tributary.publish('order', 'parked', 'order.placed.v1',"
                + " json_build_object('x', repeat('x', 20000)))");
        publish("order", "parked", 1);
        awaitSetAside(2);
        source.dropSlot();
        awaitState(relay, SourceState.SLOT_LOST);
        publish("order", "parked", 2);
        publish("order", "flows", 2);
        publish("order", "parked", 1);

        assertThat(RecoverProcess.run(source)).anyMatch(line -> line.contains("published 2 events in epoch 1"));
        awaitSetAside(5);
        awaitState(relay, SourceState.STREAMING);
        publish("order", "parked", 1);
        publish("order", "flows", 1);
        awaitSetAside(6);
        await().until(() -> source.topics.size() == 4);
        assertThat(source.text("SELECT array_agg(sequence ORDER BY position) FROM tributary.dead_letter"))
                .isEqualTo("{1,2,3,4,5,6}");
    }

    @Test
    void whatIsSetAsideIsNotTakenForLostThoughItsRowsAreOldOrGone() throws Exception {
        source.config = source.config.withPoison(SourceConfig.Poison.DEAD_LETTER);
        source.kafkaProperties.put("max.request.size", "10000");
        Relay relay = source.startRelay();
        publish("order", "parked", 1);
        publish("order", "parked, too", 1);
        source.execute(
                "SELECT tributary.publish('order', id, 'order.placed.v1',"
                        + " json_build_object('x', repeat('x', 20000))) FROM (VALUES ('parked'), ('parked, too')) AS parked (id)");
        publish("order", "parked, too", 1);
        awaitSetAside(3);
        awaitMarkOfAll();
        source.dropSlot();
        awaitState(relay, SourceState.SLOT_LOST);
        source.execute("DELETE FROM tributary.outbox WHERE aggregate_id = 'parked, too'"); // as retention does
        publish("order", "parked", 1);
        publish("order", "parked, too", 1);
        publish("order", "flows", 1);

        assertThat(RecoverProcess.run(source))
                .noneMatch(line -> line.contains("LOST"))
                .anyMatch(line -> line.contains("published 1 events in epoch 1") && line.contains("set 2 aside"));
        awaitSetAside(5);
        // But what is missing behind those is
        relay.close();
        source.dropSlot();
        publish("order", "parked, too", 2);
        source.execute("DELETE FROM tributary.outbox WHERE aggregate_id = 'parked, too' AND sequence = 5");
        assertThatThrownBy(() -> RecoverProcess.run(source)).hasMessageContaining("cannot be published in full");
    }

    @Test
    void whatKafkaRefusesInTheGapFollowsThePolicy() throws Exception {
        source.kafkaProperties.put("max.request.size", "10000");
        Relay relay = source.startRelay();
        publish("order", "flows", 1);
        source.topics.awaitExactly(source);
        source.dropSlot();
        awaitState(relay, SourceState.SLOT_LOST);
        source.execute(publishing("order", "flows") + " FROM generate_series(1, 100)");
        publish("order", "poison", 1);
        source.execute("SELECT tributary.publish('order', 'poison', 'order.placed.v1',"
                + " json_build_object('x', repeat('x', 20000)))");
        publish("order", "poison", 1);
        source.execute("INSERT INTO tributary.outbox SELECT gen_random_uuid(), 'order', 'garbled', NULL, 'a.v1', 'x',"
                + " 'payload', '[1]', now()");
        source.execute(publishing("order", "flows") + " FROM generate_series(1, 100)");
        String poison = source.text("SELECT id FROM tributary.outbox WHERE length(payload) > 10000");
        assertThatThrownBy(() -> RecoverProcess.run(source))
                .isInstanceOf(RelayException.Refused.class)
                .hasMessageContaining(poison);
        awaitState(relay, SourceState.SLOT_LOST);
        relay.close();
        source.config = source.config.withPoison(SourceConfig.Poison.DEAD_LETTER);
        assertThat(RecoverProcess.run(source))
                .anyMatch(line -> line.contains("and set 3 aside"))
                .anyMatch(line -> line.contains("set aside, and what its aggregate") && line.contains(poison));
        awaitSetAside(3);
        source.startRelay();
        publish("order", "poison", 1);
        publish("order", "flows", 1);
        awaitSetAside(4);
        await().atMost(SOON).until(() -> source.topics.size() == 203);
        assertThat(source.topics.records())
                .extracting(record -> TopicsUnderTest.header(record, "ce_id"))
                .doesNotHaveDuplicates();
        assertThat(source.text("SELECT array_agg(sequence ORDER BY position) FROM tributary.dead_letter"
                        + " WHERE aggregate_id = 'poison'"))
                .isEqualTo("{2,3,4}");
    }

    @Test
    void whatWasReleasedAndNotRelayedYetIsPublishedOnce() throws Exception {
        source.config = source.config.withPoison(SourceConfig.Poison.DEAD_LETTER);
        source.kafkaProperties.put("max.request.size", "10000");
        Relay relay = source.startRelay();
        publish("order", "1", 1);
        source.execute("SELECT tributary.publish('order', '1', 'order.placed.v1',"
                + " json_build_object('x', repeat('x', 20000)))");
        publish("order", "1", 1);
        awaitSetAside(2);
        relay.close();
        source.dropSlot();
        // What `release` does; that takes a relay which has caught up, and would relay it
        source.execute(
                "INSERT INTO tributary.outbox (id, aggregate_type, aggregate_id, sequence, type, content_type, payload,"
                        + " headers, occurred_at) SELECT id, aggregate_type, aggregate_id, sequence, type, content_type,"
                        + " payload, headers, occurred_at FROM tributary.dead_letter ORDER BY position",
                "UPDATE tributary.dead_letter SET released_at = now()");
        publish("order", "1", 1);
        source.kafkaProperties.put("max.request.size", "1000000");
        assertThat(RecoverProcess.run(source)).anyMatch(line -> line.contains("published 3 events"));
        source.startRelay();
        publish("order", "1", 1);
        await().atMost(SOON).until(() -> source.topics.size() == 5);
        assertThat(source.topics.records())
                .extracting(record -> TopicsUnderTest.header(record, "ce_sequence"))
                .containsExactly("1", "2", "3", "4", "5");
    }

    private void awaitSetAside(int events) {
        await().atMost(SOON).untilAsserted(() -> assertThat(source.text("SELECT count(*) FROM tributary.dead_letter"))
                .isEqualTo(String.valueOf(events)));
    }

    @Test
    void aSlotThatIsReadIsLeftAlone() throws Exception {
        Relay relay = source.startRelay();
        awaitState(relay, SourceState.STREAMING);
        assertThat(RecoverProcess.run(source))
                .anyMatch(line -> line.contains("nothing to recover: a relay is streaming"));
        relay.close();
        await().until(() -> source.text(
                        "SELECT active FROM pg_replication_slots WHERE slot_name = '" + source.config.slot() + "'")
                .equals("f"));
        try (Connection other = source.connectForReplication();
                PGReplicationStream stream = other.unwrap(PGConnection.class)
                        .getReplicationAPI()
                        .replicationStream()
                        .logical()
                        .withSlotName(source.config.slot())
                        .withSlotOption("proto_version", 1)
                        .withSlotOption("publication_names", "tributary")
                        .start()) {
            assertThat(stream.isClosed()).isFalse();
            assertThatThrownBy(() -> RecoverProcess.run(source))
                    .isInstanceOf(RelayException.class)
                    .hasMessageContaining("which is no relay");
        }
    }

    @Test
    void whatTheTablesHaveNoMoreIsCountedAndNothingIsChanged() throws Exception {
        Relay relay = source.startRelay();
        publish("order", "1", 5);
        publish("order", "2", 5);
        source.topics.awaitExactly(source);
        awaitMarkOfAll();
        source.dropSlot();
        awaitState(relay, SourceState.SLOT_LOST);
        publish("order", "1", 5);
        publish("order", "2", 5);
        publish("customer", "1", 5);
        // A hole, the end of an aggregate, and an aggregate as a whole
        source.execute(
                "DELETE FROM tributary.outbox WHERE aggregate_id = '1' AND aggregate_type = 'order' AND sequence IN (7, 8)",
                "DELETE FROM tributary.outbox WHERE aggregate_id = '2' AND sequence >= 10",
                "DELETE FROM tributary.outbox WHERE aggregate_type = 'customer' AND sequence > 1");
        List<String> foreseen = new java.util.ArrayList<>();
        Throwable refused = catchThrowable(
                () -> RecoverProcess.recovery(source.config, source.kafkaProperties, false, false, false, foreseen)
                        .run());
        assertThat(refused).isInstanceOf(RelayException.class).hasMessageContaining("nothing was changed");
        assertThat(foreseen)
                .anyMatch(line -> line.contains("LOST: 3 events of type order in 2 aggregates"))
                .anyMatch(line -> line.contains("LOST: 4 events of type customer in 1 aggregates"));
        assertThat(source.topics.size()).isEqualTo(10);
        assertThat(source.text(
                        "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '" + source.config.slot() + "'"))
                .isEqualTo("0");

        assertThat(RecoverProcess.acceptingLoss(source)).anyMatch(line -> line.contains("published 8 events"));
        awaitState(relay, SourceState.STREAMING);
        await().atMost(SOON).until(() -> source.topics.size() == 18);
        publish("order", "1", 1);
        await().atMost(SOON).until(() -> source.topics.size() == 19);
    }

    @Test
    void rowsFromBeforeTheMarkThatAreGoneMakeEverythingDoubtfulButWhatKafkaProves() throws Exception {
        Relay relay = source.startRelay();
        publish("order", "1", 5);
        publish("order", "2", 5);
        source.topics.awaitExactly(source);
        awaitMarkOfAll();
        source.dropSlot();
        awaitState(relay, SourceState.SLOT_LOST);
        publish("order", "1", 5);
        publish("customer", "1", 5);
        // Retention that is shorter than the relay was away; Kafka knows order 1 up to 5, and customer 1 not at all
        source.execute(
                "DELETE FROM tributary.outbox WHERE occurred_at < (SELECT max(occurred_at) FROM tributary.outbox"
                        + " WHERE aggregate_type = 'order' AND sequence = 7)",
                "DELETE FROM tributary.outbox WHERE aggregate_type = 'customer' AND sequence < 3");
        List<String> foreseen = new java.util.ArrayList<>();
        assertThatThrownBy(() -> RecoverProcess.recovery(
                                source.config, source.kafkaProperties, true, false, false, foreseen)
                        .run())
                .isInstanceOf(RelayException.class);
        assertThat(foreseen)
                .anyMatch(line -> line.contains("LOST: 1 events of type order in 1 aggregates"))
                .anyMatch(line -> line.contains("UNPROVEN: 2 events of type customer in 1 aggregates"));
    }

    @Test
    void withoutAMarkAllRowsAreComparedWithAllOfKafka() throws Exception {
        source.startRelay().close();
        Relay relay = source.startRelay();
        publish("order", "1", 5);
        source.topics.awaitExactly(source);
        relay.close();
        source.topics.deleteMarks();
        source.execute("SELECT pg_drop_replication_slot('" + source.config.slot() + "')");
        publish("order", "1", 5);
        assertThat(RecoverProcess.run(source)).anyMatch(line -> line.contains("published 5 events"));
        source.startRelay();
        publish("order", "1", 5);
        source.topics.awaitExactly(source);
    }

    private void awaitMarkOfAll() {
        long horizonPast = System.currentTimeMillis();
        await().atMost(SOON).until(() -> source.topics.lastMark().timeMillis() > horizonPast);
    }

    private Connection begin(String aggregateId) throws SQLException {
        Connection connection = source.connect();
        connection.setAutoCommit(false);
        SourceUnderTest.run(connection, publishing("order", aggregateId));
        return connection;
    }

    private void publish(String aggregateType, String aggregateId, int events) throws SQLException {
        for (int i = 0; i < events; i++) {
            source.execute(publishing(aggregateType, aggregateId));
        }
    }

    private static String publishing(String aggregateType, String aggregateId) {
        return "SELECT tributary.publish('" + aggregateType + "', '" + aggregateId + "', 'order.placed.v1', '{}')";
    }

    private static void awaitState(Relay relay, SourceState state) {
        await().atMost(SOON).until(() -> relay.status().state() == state);
    }
}
