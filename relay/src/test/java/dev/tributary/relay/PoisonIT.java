package dev.tributary.relay;

import static dev.tributary.relay.TopicsUnderTest.header;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.EventTypes;
import dev.tributary.outbox.NewEvent;
import dev.tributary.outbox.Outbox;
import dev.tributary.relay.config.SourceConfig.Engine;
import dev.tributary.relay.config.SourceConfig.Poison;
import dev.tributary.relay.setup.ParkedAggregates;
import dev.tributary.relay.setup.SetupException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Events that Kafka will never take, with {@code poison: dead-letter}. */
class PoisonIT {
    private static final byte[] SMALL = "{}".getBytes(StandardCharsets.UTF_8);
    private static final byte[] TOO_LARGE = new byte[20_000];

    private final Outbox outbox = Outbox.of(EventTypes.builder().build());
    private SourceUnderTest source;

    @BeforeEach
    void open() throws SQLException {
        source = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared());
        source.config = source.config.withPoison(Poison.DEAD_LETTER);
        source.kafkaProperties.put("max.request.size", "10000");
    }

    @AfterEach
    void close() throws SQLException {
        source.close();
    }

    @Test
    void itsAggregateIsSetAsideAndAllOthersFlow() throws Exception {
        Relay relay = source.startRelay();
        publish("a", SMALL);
        publish("b", SMALL, TOO_LARGE, SMALL);
        publish("a", SMALL);
        publish("b", SMALL);
        publish("c", SMALL);
        awaitArrived("a1", "a2", "b1", "c1");
        awaitParked(3);
        assertThat(relay.status().state()).isEqualTo(SourceState.STREAMING);
        await().untilAsserted(() ->
                assertThat(relay.status().progress().parkedAggregates()).isOne());
        assertThat(parked()).singleElement().satisfies(parked -> {
            assertThat(parked.id()).isEqualTo("b");
            assertThat(parked.events()).isEqualTo(3);
            assertThat(parked.reason()).contains("20").contains("max.request.size");
        });
    }

    @Test
    void aRestartForgetsNothing() throws Exception {
        Relay relay = source.startRelay();
        publish("b", TOO_LARGE);
        awaitParked(1);
        relay.close();
        publish("b", SMALL);
        publish("a", SMALL);
        source.startRelay();
        awaitArrived("a1");
        awaitParked(2);
    }

    @Test
    void whatIsReleasedComesInOrderBeforeWhatFollows() throws Exception {
        Relay relay = source.startRelay();
        publish("b", SMALL, TOO_LARGE, SMALL);
        publish("a", SMALL);
        awaitParked(2);
        relay.close();
        source.kafkaProperties.put("max.request.size", "1000000");
        source.startRelay();
        publish("b", SMALL);
        assertThat(new ParkedAggregates(source.config).release("order", "b")).isEqualTo(3);
        publish("b", SMALL);
        awaitArrived("a1", "b1", "b2", "b3", "b4", "b5");
        awaitParked(0);
        assertThat(arrived().stream().filter(event -> event.startsWith("b")))
                .containsExactly("b1", "b2", "b3", "b4", "b5");
    }

    @Test
    void whatIsReleasedDoesNotComeAgainWhenTheSlotGoesBack() throws Exception {
        Relay relay = source.startRelay();
        publish("a", SMALL);
        awaitArrived("a1");
        String slot = source.config.slot();
        source.execute("SELECT pg_copy_logical_replication_slot('" + slot + "', '" + slot + "_before')");
        publish("b", TOO_LARGE, SMALL);
        awaitParked(2);
        relay.close();
        source.kafkaProperties.put("max.request.size", "1000000");
        Relay second = source.startRelay();
        new ParkedAggregates(source.config).release("order", "b");
        awaitArrived("a1", "b1", "b2");
        second.close();
        slotGoesBack();
        source.startRelay();
        publish("b", SMALL);
        awaitArrived("a1", "b1", "b2", "b3");
    }

    @Test
    void whatOneEngineHasSetAsideTheOtherDoesNotSend() throws Exception {
        String slot = source.config.slot();
        source.execute("SELECT pg_copy_logical_replication_slot('" + slot + "', '" + slot + "_before')");
        Relay relay = source.startRelay();
        publish("b", SMALL, TOO_LARGE, SMALL);
        publish("a", SMALL);
        awaitParked(2);
        awaitArrived("b1", "a1");
        relay.close();
        slotGoesBack();
        source.kafkaProperties.put("max.request.size", "1000000");
        source.config = source.config.withEngine(Engine.DEBEZIUM);
        source.startRelay();
        publish("b", SMALL);
        publish("a", SMALL);
        awaitArrived("b1", "a1", "a2");
        awaitParked(3);
        assertThat(new ParkedAggregates(source.config).release("order", "b")).isEqualTo(3);
        awaitArrived("a1", "a2", "b1", "b2", "b3", "b4");
        assertThat(arrived().stream().filter(event -> event.startsWith("b"))).containsExactly("b1", "b2", "b3", "b4");
    }

    /** As that of a server that crashed before its checkpoint. */
    private void slotGoesBack() throws SQLException {
        String slot = source.config.slot();
        source.dropSlot();
        source.execute(
                "SELECT pg_copy_logical_replication_slot('" + slot + "_before', '" + slot + "')",
                "SELECT pg_drop_replication_slot('" + slot + "_before')");
    }

    @Test
    void whatIsReleasedTooEarlyIsSetAsideAgain() throws Exception {
        source.startRelay();
        publish("b", TOO_LARGE, SMALL);
        awaitParked(2);
        assertThat(new ParkedAggregates(source.config).release("order", "b")).isEqualTo(2);
        publish("b", SMALL);
        awaitParked(3);
        assertThat(arrived()).isEmpty();
    }

    /** A commit is in the log before others see it; here for as long as it waits for a standby that is not there. */
    @Test
    void whatIsReleasedIsSentThoughNobodySeesTheReleaseYet() throws Exception {
        source.close();
        try (LocalPostgres postgres =
                LocalPostgres.startOwn(Map.of("synchronous_standby_names", "nobody", "synchronous_commit", "local"))) {
            source = new SourceUnderTest(postgres, LocalKafka.shared());
            source.config = source.config.withPoison(Poison.DEAD_LETTER);
            source.kafkaProperties.put("max.request.size", "10000");
            Relay relay = source.startRelay();
            publish("b", SMALL, TOO_LARGE, SMALL);
            awaitParked(2);
            relay.close();
            source.kafkaProperties.put("max.request.size", "1000000");
            source.startRelay();
            CompletableFuture<Void> release = CompletableFuture.runAsync(this::releaseWaitingForAStandby);
            String readers = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
            await().until(() -> !source.text(readers).equals("0")
                    || !source.text("SELECT count(*) FROM tributary.dead_letter")
                            .equals("2"));
            assertThat(source.text(readers)).isEqualTo("1");
            source.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
            release.get(60, TimeUnit.SECONDS);
            publish("b", SMALL);
            awaitArrived("b1", "b2", "b3", "b4");
            assertThat(arrived()).containsExactly("b1", "b2", "b3", "b4");
            awaitParked(0);
            source.close();
        }
        source = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared());
    }

    private void releaseWaitingForAStandby() {
        try (Connection connection = source.connect()) {
            connection.setAutoCommit(false);
            SourceUnderTest.run(connection, "SET LOCAL synchronous_commit = on");
            SourceUnderTest.run(
                    connection,
                    "INSERT INTO tributary.outbox (id, aggregate_type, aggregate_id, sequence, type, content_type, payload,"
                            + " headers, occurred_at) SELECT id, aggregate_type, aggregate_id, sequence, type, content_type,"
                            + " payload, headers, occurred_at FROM tributary.dead_letter ORDER BY position");
            SourceUnderTest.run(connection, "UPDATE tributary.dead_letter SET released_at = now()");
            connection.commit();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void withoutARelayNothingIsReleased() throws Exception {
        source.startRelay();
        publish("b", TOO_LARGE);
        awaitParked(1);
        assertThatThrownBy(() -> new ParkedAggregates(source.config).release("order", "x"))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("nothing of order/x");
        assertThat(parked()).hasSize(1);
    }

    /** One transaction. */
    private void publish(String aggregateId, byte[]... payloads) throws SQLException {
        try (Connection connection = source.connect()) {
            connection.setAutoCommit(false);
            for (byte[] payload : payloads) {
                outbox.publish(
                        connection,
                        NewEvent.raw("order", aggregateId, "order.placed.v1", "application/octet-stream", payload));
            }
            connection.commit();
        }
    }

    private List<ParkedAggregates.Parked> parked() {
        return new ParkedAggregates(source.config).list();
    }

    private void awaitParked(int events) {
        await().untilAsserted(() -> assertThat(parked().stream()
                        .mapToLong(ParkedAggregates.Parked::events)
                        .sum())
                .isEqualTo(events));
    }

    private void awaitArrived(String... events) {
        await().untilAsserted(() -> assertThat(arrived()).containsExactlyInAnyOrder(events));
    }

    /** Aggregate and sequence of each, in the order of its partition. */
    private List<String> arrived() {
        return source.topics.records().stream()
                .map(record -> new String(record.key(), StandardCharsets.UTF_8) + header(record, "ce_sequence"))
                .toList();
    }
}
