package dev.tributary.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.outbox.AppendResult.Appended;
import dev.tributary.outbox.AppendResult.Conflict;
import dev.tributary.outbox.schema.SchemaException;
import dev.tributary.outbox.schema.Upcasters;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EventStoreTest {
    record Deposited(long amount) {}

    record Withdrawn(long amount, Instant at) {}

    private static final EventTypes TYPES = EventTypes.builder()
            .register("account.deposited", 1, Deposited.class)
            .register("account.withdrawn", 1, Withdrawn.class)
            .build();
    private static final EventStore STORE = EventStore.of(TYPES);
    private static TestDatabase database;
    private Connection transaction;

    @BeforeAll
    static void createDatabase() throws SQLException {
        database = TestDatabase.withTables();
    }

    @BeforeEach
    void begin() throws SQLException {
        database.clear();
        transaction = database.transaction();
    }

    @AfterEach
    void end() throws SQLException {
        transaction.close();
    }

    /** The sum of what came in. */
    private static class Balance implements Fold<Long> {
        @Override
        public Long initial() {
            return 0L;
        }

        @Override
        public Long evolve(Long balance, StoredEvent event) {
            return balance + ((Deposited) event.payload()).amount();
        }
    }

    private static final class SnapshotBalance extends Balance {
        private final Snapshots<Long> snapshots;

        SnapshotBalance(String type) {
            snapshots = new Snapshots<>(type, Long.class);
        }

        @Override
        public @Nullable Snapshots<Long> snapshots() {
            return snapshots;
        }
    }

    @Test
    void whatIsAppendedIsLoadedAsItWasWritten() throws SQLException {
        Instant at = Instant.parse("2026-11-21T10:15:30.123456Z");
        AppendResult result = STORE.append(
                transaction,
                0,
                List.of(
                        deposited("a", 5).header("tenant", "acme").correlationId("c-1"),
                        NewEvent.of("account", "a", new Withdrawn(2, at)),
                        NewEvent.raw("account", "a", "account.note.v1", "text/plain", new byte[] {7})));

        List<StoredEvent> events = STORE.load(transaction, "account", "a");
        assertThat(result).isInstanceOfSatisfying(Appended.class, appended -> {
            assertThat(appended.sequence()).isEqualTo(3);
            assertThat(appended.eventIds())
                    .extracting(UUID::toString)
                    .isEqualTo(events.stream().map(StoredEvent::id).toList());
        });
        assertThat(events).extracting(StoredEvent::sequence).containsExactly(1L, 2L, 3L);
        assertThat(events)
                .extracting(StoredEvent::type)
                .containsExactly("account.deposited.v1", "account.withdrawn.v1", "account.note.v1");
        assertThat(events.get(0).payload()).isEqualTo(new Deposited(5));
        assertThat(events.get(0).headers()).isEqualTo(Map.of("tenant", "acme", "ce_correlationid", "c-1"));
        assertThat(events.get(1).payload()).isEqualTo(new Withdrawn(2, at));
        assertThat(events.get(1).headers()).isEmpty();
        assertThat(events.get(2).payload()).isEqualTo(new byte[] {7});
        assertThat(STORE.load(transaction, "account", "a", 2)).hasSize(1);
        assertThat(STORE.load(transaction, "account", "b")).isEmpty();
    }

    @Test
    void aConflictIsAnAnswerThatSaysWhereTheAggregateIsAndLeavesTheTransactionUsable() throws SQLException {
        STORE.append(transaction, 0, List.of(deposited("a", 1), deposited("a", 1)));
        transaction.commit();

        assertThat(STORE.append(transaction, 1, List.of(deposited("a", 9))))
                .isEqualTo(new Conflict("account", "a", 1, 2));
        assertThat(STORE.append(transaction, 0, List.of(deposited("a", 9), deposited("a", 9))))
                .isEqualTo(new Conflict("account", "a", 0, 2));
        assertThat(STORE.append(transaction, 3, List.of(deposited("a", 9))))
                .isEqualTo(new Conflict("account", "a", 3, 2));
        assertThat(STORE.append(transaction, 1, List.of(deposited("new", 9))))
                .isEqualTo(new Conflict("account", "new", 1, 0));
        assertThat(STORE.append(transaction, 2, List.of(deposited("a", 1)))).isInstanceOf(Appended.class);
        assertThat(STORE.append(transaction, List.of(deposited("a", 1))).sequence())
                .isEqualTo(4);
        transaction.commit();
        assertThat(STORE.fold(transaction, "account", "a", new Balance())).isEqualTo(new Loaded<>(4L, 4, 0));
        assertThat(database.rows()).isEqualTo(4 + 1);
    }

    @Test
    void ofTwoThatExpectTheSameOneAppendsAndTheOtherIsTold() throws Exception {
        STORE.append(transaction, 0, List.of(deposited("a", 1)));
        try (Connection other = database.transaction()) {
            CompletableFuture<AppendResult> second = CompletableFuture.supplyAsync(() -> {
                try {
                    return STORE.append(other, 0, List.of(deposited("a", 2)));
                } catch (SQLException e) {
                    throw new AssertionError(e);
                }
            });
            await().until(() -> database.text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                            + " AND wait_event_type = 'Lock'")
                    .equals("1"));
            transaction.commit();
            assertThat(second.get()).isEqualTo(new Conflict("account", "a", 0, 1));
            assertThat(STORE.append(other, 1, List.of(deposited("a", 2)))).isInstanceOf(Appended.class);
        }
    }

    @Test
    void aRollbackLeavesNoNumberUsed() throws SQLException {
        STORE.append(transaction, List.of(deposited("a", 1)));
        transaction.rollback();
        assertThat(STORE.append(transaction, 0, List.of(deposited("a", 1)))).isInstanceOf(Appended.class);
    }

    @Test
    void aSnapshotSavesTheEventsBeforeIt() throws SQLException {
        STORE.append(
                transaction, 0L, List.of(deposited("a", 1), deposited("a", 2)), new NewSnapshot("balance.v1", 1_000L));
        STORE.append(transaction, 2, List.of(deposited("a", 4)));

        // 1000 is wrong on purpose: it shows that the first two have not been read
        assertThat(STORE.fold(transaction, "account", "a", new SnapshotBalance("balance.v1")))
                .isEqualTo(new Loaded<>(1_004L, 3, 2));
        assertThat(STORE.fold(transaction, "account", "a", new SnapshotBalance("balance.v2")))
                .isEqualTo(new Loaded<>(7L, 3, 0));
        assertThat(STORE.fold(transaction, "account", "a", new Balance())).isEqualTo(new Loaded<>(7L, 3, 0));
        assertThat(STORE.load(transaction, "account", "a")).hasSize(3);

        STORE.append(transaction, 3L, List.of(deposited("a", 1)), new NewSnapshot("balance.v2", 8L));
        assertThat(STORE.fold(transaction, "account", "a", new SnapshotBalance("balance.v2")))
                .isEqualTo(new Loaded<>(8L, 4, 4));
        assertThat(STORE.append(transaction, 1L, List.of(deposited("a", 1)), new NewSnapshot("balance.v2", 0L)))
                .isInstanceOf(Conflict.class);
        assertThat(STORE.fold(transaction, "account", "a", new SnapshotBalance("balance.v2")))
                .isEqualTo(new Loaded<>(8L, 4, 4));
    }

    @Test
    void aSnapshotThatCouldNeverBeLoadedIsRefused() {
        assertThatThrownBy(() -> new NewSnapshot("balance.v1", nothing()))
                .isInstanceOf(EventRejectedException.class)
                .hasMessageContaining("the state of a snapshot of type balance.v1 is null");
        assertThatThrownBy(() -> new NewSnapshot("balance", 1L)).hasMessageContaining("'balance' is not usable");
    }

    @SuppressWarnings({"NullAway", "TypeParameterUnusedInFormals"})
    private static <T> T nothing() {
        return null;
    }

    @Test
    void aSnapshotThatIsReadAsSomethingElseIsNamed() throws SQLException {
        STORE.append(transaction, 0L, List.of(deposited("a", 1)), new NewSnapshot("balance.v1", "one"));
        assertThatThrownBy(() -> STORE.fold(transaction, "account", "a", new SnapshotBalance("balance.v1")))
                .isInstanceOf(SchemaException.class)
                .hasMessageStartingWith("the snapshot of account/a: balance.v1: ")
                .hasMessageContaining("give Fold.Snapshots a new type where Long has changed");
        assertThat(STORE.fold(transaction, "account", "a", new SnapshotBalance("balance.v2")))
                .isEqualTo(new Loaded<>(1L, 1, 0));
    }

    @Test
    void snapshotsAndEventsOfOldTypesAreUpcast() throws SQLException {
        EventStore today = EventStore.builder(TYPES)
                .upcasters(Upcasters.builder()
                        .upcast("account.paid-in.v1", "account.deposited.v1", old -> {
                            old.set("amount", old.remove("cents"));
                            return old;
                        })
                        .split(
                                "account.swap.v1",
                                ObjectNode.class,
                                Set.of("account.deposited.v1"),
                                old -> List.of(
                                        new Upcasters.Part(
                                                "account.deposited.v1",
                                                new Deposited(old.get("a").asLong())),
                                        new Upcasters.Part(
                                                "account.deposited.v1",
                                                new Deposited(old.get("b").asLong()))))
                        .split("account.opened.v1", ObjectNode.class, Set.of(), old -> List.of())
                        .upcast("balance.v1", Long.class, "balance.v2", old -> old * 100)
                        .build())
                .build();
        STORE.append(
                transaction,
                0L,
                List.of(json("account.paid-in.v1", "{\"cents\":3}")),
                new NewSnapshot("balance.v1", 2L));
        STORE.append(
                transaction,
                1,
                List.of(json("account.swap.v1", "{\"a\":10,\"b\":20}"), json("account.opened.v1", "{}")));

        List<StoredEvent> events = today.load(transaction, "account", "a");
        assertThat(events)
                .extracting(StoredEvent::payload)
                .containsExactly(new Deposited(3), new Deposited(10), new Deposited(20));
        assertThat(events).extracting(StoredEvent::sequence).containsExactly(1L, 2L, 2L);
        assertThat(events.get(1).id()).endsWith("#1");
        assertThat(today.fold(transaction, "account", "a", new Balance())).isEqualTo(new Loaded<>(33L, 3, 0));
        assertThat(today.fold(transaction, "account", "a", new SnapshotBalance("balance.v2")))
                .isEqualTo(new Loaded<>(230L, 3, 1));
        assertThatThrownBy(() -> STORE.load(transaction, "account", "a"))
                .isInstanceOf(SchemaException.class)
                .hasMessageContaining("event 1 of account/a is of type account.paid-in.v1, which has no class");
    }

    @Test
    void whatCannotBeReadNamesTheEvent() throws SQLException {
        STORE.append(transaction, List.of(deposited("a", 1), json("account.deposited.v1", "{}")));
        assertThatThrownBy(() -> STORE.load(transaction, "account", "a"))
                .isInstanceOf(SchemaException.class)
                .hasMessageContaining("event 2 of account/a: account.deposited.v1: amount is missing");
    }

    @Test
    void aMissingEventIsNotPassedOver() throws SQLException {
        STORE.append(transaction, List.of(deposited("a", 1)));
        Outbox.of(TYPES).publish(transaction, deposited("a", 2));
        STORE.append(transaction, List.of(deposited("a", 4)));
        assertThatThrownBy(() -> STORE.fold(transaction, "account", "a", new Balance()))
                .isInstanceOf(OutboxException.class)
                .hasMessageContaining("events 2 to 2 of account/a are not in tributary.event_store");
    }

    @Test
    void aLongHistoryIsReadInPieces() throws SQLException {
        for (int from = 0; from < 5_000; from += 1_000) {
            STORE.append(
                    transaction,
                    from,
                    IntStream.range(0, 1_000).mapToObj(i -> deposited("a", 1)).toList());
        }
        assertThat(STORE.fold(transaction, "account", "a", new Balance())).isEqualTo(new Loaded<>(5_000L, 5_000, 0));
        List<Long> sequences = new ArrayList<>();
        STORE.load(transaction, "account", "a", 3_000).forEach(event -> sequences.add(event.sequence()));
        assertThat(sequences).hasSize(2_000).isSorted();
    }

    /** Of which PostgreSQL, with no more than one aggregate to judge by, takes a third to lie behind any snapshot. */
    @Test
    void historyIsReadInItsOrderHoweverMuchThereIs() throws SQLException {
        try (Statement statement = transaction.createStatement()) {
            statement.execute("INSERT INTO tributary.event_store SELECT gen_random_uuid(), 'account', '1', n,"
                    + " 'account.deposited.v1', 'application/json', '{\"amount\": 1}', NULL, now()"
                    + " FROM generate_series(1, 30000) n");
            statement.execute("INSERT INTO tributary.aggregate VALUES ('account', '1', 30000)");
            statement.execute("INSERT INTO tributary.snapshot VALUES ('account', '1', 29999, 'balance.v1', '29999')");
            statement.execute("ANALYZE tributary.event_store");
        }
        String plan = plan("account", "1");

        assertThat(plan).startsWith("Merge Append").contains("Index Scan using event_store_pkey on event_store");
        Loaded<Long> loaded = STORE.fold(transaction, "account", "1", new SnapshotBalance("balance.v1"));
        assertThat(loaded.state()).isEqualTo(30_000L);
    }

    private String plan(String aggregateType, String aggregateId) throws SQLException {
        try (PreparedStatement explain = transaction.prepareStatement("EXPLAIN " + ReadHistory.SQL)) {
            explain.setString(1, aggregateType);
            explain.setString(2, aggregateId);
            explain.setArray(3, transaction.createArrayOf("text", new String[] {"balance.v1"}));
            explain.setString(4, aggregateType);
            explain.setString(5, aggregateId);
            explain.setLong(6, 0);
            StringBuilder plan = new StringBuilder();
            try (ResultSet line = explain.executeQuery()) {
                while (line.next()) {
                    plan.append(line.getString(1)).append('\n');
                }
            }
            return plan.toString();
        }
    }

    @Test
    void whatCannotBeAppendedIsRefusedBeforeTheDatabaseHearsOfIt() throws SQLException {
        assertRefused("1 to 10000 can");
        assertRefused("are of two aggregates", deposited("a", 1), deposited("b", 1));
        assertRefused("opinion on its sequence", deposited("a", 1).unsequenced());
        assertRefused("opinion on its sequence", deposited("a", 1).expectingSequence(1));
        assertThatThrownBy(() -> STORE.append(transaction, -1, List.of(deposited("a", 1))))
                .isInstanceOf(EventRejectedException.class)
                .hasMessageContaining("expected sequence -1");
        try (Connection connection = database.autoCommitting()) {
            assertThatThrownBy(() -> STORE.append(connection, List.of(deposited("a", 1))))
                    .isInstanceOf(EventRejectedException.class)
                    .hasMessageContaining("auto-commit");
        }
        assertThatThrownBy(() -> STORE.load(transaction, "no/type", "a")).isInstanceOf(EventRejectedException.class);
        assertThat(STORE.append(transaction, 0, List.of(deposited("a", 1)))).isInstanceOf(Appended.class);
    }

    private void assertRefused(String message, NewEvent... events) {
        assertThatThrownBy(() -> STORE.append(transaction, List.of(events)))
                .isInstanceOf(EventRejectedException.class)
                .hasMessageContaining(message);
    }

    @Test
    void withoutTablesTheErrorSaysWhatToRun() throws SQLException {
        try (Connection connection = TestDatabase.empty().transaction()) {
            assertThatThrownBy(() -> STORE.load(connection, "account", "a"))
                    .isInstanceOf(OutboxException.class)
                    .hasMessageContaining("relay init");
        }
    }

    @Test
    void sqlAppendsWithTheSameRowsAnswersAndRefusals() throws SQLException {
        assertThat(append("a", 0, "account.deposited.v1", "{\"amount\": 1}")).isEqualTo("(t,1)");
        assertThat(append("a", 0, "account.deposited.v1", "{\"amount\": 1}")).isEqualTo("(f,1)");
        assertThat(append("a", null, "account.deposited.v1", "{\"amount\": 2}")).isEqualTo("(t,2)");
        assertThat(append("b", 7, "account.deposited.v1", "{\"amount\": 2}")).isEqualTo("(f,0)");
        assertThat(STORE.fold(transaction, "account", "a", new Balance())).isEqualTo(new Loaded<>(3L, 2, 0));
        for (Object[] bad : new Object[][] {
            {"a", -1, "t.v1", "{}"}, {"", 0, "t.v1", "{}"}, {"a", 0, "t", "{}"}, {"a", 0, "t.v1", null}
        }) {
            assertThatThrownBy(() -> append((String) bad[0], (Integer) bad[1], (String) bad[2], (String) bad[3]))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("22023"));
        }
    }

    private static String append(String id, @Nullable Integer expected, String type, @Nullable String payload)
            throws SQLException {
        return database.text(
                "SELECT tributary.append('account', ?::text, ?::bigint, ?::text, ?::text::json)::text",
                id,
                expected,
                type,
                payload);
    }

    private static NewEvent deposited(String id, long amount) {
        return NewEvent.of("account", id, new Deposited(amount));
    }

    private static NewEvent json(String type, String payload) {
        return NewEvent.raw("account", "a", type, "application/json", payload.getBytes(StandardCharsets.UTF_8));
    }
}
