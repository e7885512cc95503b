package dev.tributary.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.RelayException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
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
        source.publish("order", "1", 5);
        source.topics.awaitExactly(source);
        relay.close();
        source.publish("order", "1", 5);
        source.publish("customer", "1", 5);
        source.execute("SELECT pg_replication_slot_advance('" + source.config.slot() + "', pg_current_wal_lsn())");
        source.publish("order", "1", 5);
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
        source.publish("order", "1", 5);
        source.topics.awaitExactly(source);
        assertThat(next.status().state()).isEqualTo(SourceState.STREAMING);
        assertThat(RecoverProcess.run(source)).anyMatch(line -> line.contains("nothing to recover"));
    }

    @Test
    void transactionsThatWereOpenWhenTheSlotWasLostAreRecoveredOrNotAsTheyEnd() throws Exception {
        source.startRelay();
        source.publish("order", "1", 1);
        try (Connection committed = source.begin("committed");
                Connection rolledBack = source.begin("rolled back");
                Connection savepoint = source.begin("savepoint");
                Connection prepared = source.begin("prepared");
                Connection open = source.begin("open")) {
            SourceUnderTest.run(savepoint, "SAVEPOINT s");
            SourceUnderTest.run(savepoint, SourceUnderTest.publishing("order", "nested"));
            SourceUnderTest.run(prepared, "PREPARE TRANSACTION '" + source.config.name() + "'");
            source.publish("order", "1", 20);
            source.topics.awaitExactly(source);
            source.dropSlot();
            source.publish("order", "2", 3);
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
        source.publish("order", "1", 1);
        source.topics.awaitExactly(source);
    }

    @Test
    void aRecoveryThatIsKilledIsRunAgain() throws Exception {
        Relay relay = source.startRelay();
        source.publish("order", "1", 1);
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
        source.publish("order", "1", 1);
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
            source.publish("order", "1", 5);
            source.topics.awaitExactly(source);
            relay.close();
            source.publish("order", "1", 5);
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
            source.publish("order", "1", 5);
            source.topics.awaitExactly(source);
            source.close();
        }
        source = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared());
    }

    @Test
    void whereNothingIsMissingOnlyTheSlotIsReplaced() throws Exception {
        Relay relay = source.startRelay();
        source.publish("order", "1", 5);
        source.topics.awaitExactly(source);
        source.dropSlot();
        awaitState(relay, SourceState.SLOT_LOST);
        assertThat(RecoverProcess.run(source)).anyMatch(line -> line.contains("published 0 events"));
        awaitState(relay, SourceState.STREAMING);
        source.publish("order", "1", 5);
        source.topics.awaitExactly(source);
    }

    @Test
    void whatIsSetAsideStaysSetAside() throws Exception {
        source.config = source.config.withPoison(SourceConfig.Poison.DEAD_LETTER);
        source.kafkaProperties.put("max.request.size", "10000");
        Relay relay = source.startRelay();
        source.publish("order", "flows", 1);
        source.execute("SELECT tributary.publish('order', 'parked', 'order.placed.v1',"
                + " json_build_object('x', repeat('x', 20000)))");
        source.publish("order", "parked", 1);
        awaitSetAside(2);
        source.dropSlot();
        awaitState(relay, SourceState.SLOT_LOST);
        source.publish("order", "parked", 2);
        source.publish("order", "flows", 2);
        source.publish("order", "parked", 1);

        assertThat(RecoverProcess.run(source)).anyMatch(line -> line.contains("published 2 events in epoch 1"));
        awaitSetAside(5);
        awaitState(relay, SourceState.STREAMING);
        source.publish("order", "parked", 1);
        source.publish("order", "flows", 1);
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
        source.publish("order", "parked", 1);
        source.publish("order", "parked, too", 1);
        source.execute(
                "SELECT tributary.publish('order', id, 'order.placed.v1',"
                        + " json_build_object('x', repeat('x', 20000))) FROM (VALUES ('parked'), ('parked, too')) AS parked (id)");
        source.publish("order", "parked, too", 1);
        awaitSetAside(3);
        awaitMarkOfAll();
        source.dropSlot();
        awaitState(relay, SourceState.SLOT_LOST);
        source.execute("DELETE FROM tributary.outbox WHERE aggregate_id = 'parked, too'"); // as retention does
        source.publish("order", "parked", 1);
        source.publish("order", "parked, too", 1);
        source.publish("order", "flows", 1);

        assertThat(RecoverProcess.run(source))
                .noneMatch(line -> line.contains("LOST"))
                .anyMatch(line -> line.contains("published 1 events in epoch 1") && line.contains("set 2 aside"));
        awaitSetAside(5);
        // But what is missing behind those is
        relay.close();
        source.dropSlot();
        source.publish("order", "parked, too", 2);
        source.execute("DELETE FROM tributary.outbox WHERE aggregate_id = 'parked, too' AND sequence = 5");
        assertThatThrownBy(() -> RecoverProcess.run(source)).hasMessageContaining("cannot be published in full");
    }

    @Test
    void whatKafkaRefusesInTheGapFollowsThePolicy() throws Exception {
        source.kafkaProperties.put("max.request.size", "10000");
        Relay relay = source.startRelay();
        source.publish("order", "flows", 1);
        source.topics.awaitExactly(source);
        source.dropSlot();
        awaitState(relay, SourceState.SLOT_LOST);
        source.execute(SourceUnderTest.publishing("order", "flows") + " FROM generate_series(1, 100)");
        source.publish("order", "poison", 1);
        source.execute("SELECT tributary.publish('order', 'poison', 'order.placed.v1',"
                + " json_build_object('x', repeat('x', 20000)))");
        source.publish("order", "poison", 1);
        source.execute("INSERT INTO tributary.outbox SELECT gen_random_uuid(), 'order', 'garbled', NULL, 'a.v1', 'x',"
                + " 'payload', '[1]', now()");
        source.execute(SourceUnderTest.publishing("order", "flows") + " FROM generate_series(1, 100)");
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
        source.publish("order", "poison", 1);
        source.publish("order", "flows", 1);
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
        source.publish("order", "1", 1);
        source.execute("SELECT tributary.publish('order', '1', 'order.placed.v1',"
                + " json_build_object('x', repeat('x', 20000)))");
        source.publish("order", "1", 1);
        awaitSetAside(2);
        relay.close();
        source.dropSlot();
        // What `release` does; that takes a relay which has caught up, and would relay it
        source.execute(
                "INSERT INTO tributary.outbox (id, aggregate_type, aggregate_id, sequence, type, content_type, payload,"
                        + " headers, occurred_at) SELECT id, aggregate_type, aggregate_id, sequence, type, content_type,"
                        + " payload, headers, occurred_at FROM tributary.dead_letter ORDER BY position",
                "UPDATE tributary.dead_letter SET released_at = now()");
        source.publish("order", "1", 1);
        source.kafkaProperties.put("max.request.size", "1000000");
        assertThat(RecoverProcess.run(source)).anyMatch(line -> line.contains("published 3 events"));
        source.startRelay();
        source.publish("order", "1", 1);
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
        source.publish("order", "1", 5);
        source.publish("order", "2", 5);
        source.topics.awaitExactly(source);
        awaitMarkOfAll();
        source.dropSlot();
        awaitState(relay, SourceState.SLOT_LOST);
        source.publish("order", "1", 5);
        source.publish("order", "2", 5);
        source.publish("customer", "1", 5);
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
        source.publish("order", "1", 1);
        await().atMost(SOON).until(() -> source.topics.size() == 19);
    }

    @Test
    void rowsFromBeforeTheMarkThatAreGoneMakeEverythingDoubtfulButWhatKafkaProves() throws Exception {
        Relay relay = source.startRelay();
        source.publish("order", "1", 5);
        source.publish("order", "2", 5);
        source.topics.awaitExactly(source);
        awaitMarkOfAll();
        source.dropSlot();
        awaitState(relay, SourceState.SLOT_LOST);
        source.publish("order", "1", 5);
        source.publish("customer", "1", 5);
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
        source.publish("order", "1", 5);
        source.topics.awaitExactly(source);
        relay.close();
        source.topics.deleteMarks();
        source.execute("SELECT pg_drop_replication_slot('" + source.config.slot() + "')");
        source.publish("order", "1", 5);
        assertThat(RecoverProcess.run(source)).anyMatch(line -> line.contains("published 5 events"));
        source.startRelay();
        source.publish("order", "1", 5);
        source.topics.awaitExactly(source);
    }

    private void awaitMarkOfAll() {
        long horizonPast = System.currentTimeMillis();
        await().atMost(SOON).until(() -> source.topics.lastMark().timeMillis() > horizonPast);
    }

    private static void awaitState(Relay relay, SourceState state) {
        await().atMost(SOON).until(() -> relay.status().state() == state);
    }
}
