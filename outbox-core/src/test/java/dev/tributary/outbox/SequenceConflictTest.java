package dev.tributary.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SequenceConflictTest {
    private static final Outbox OUTBOX = Outbox.of(EventTypes.builder().build());
    private static TestDatabase database;

    @BeforeAll
    static void createDatabase() throws SQLException {
        database = TestDatabase.withTables();
    }

    @BeforeEach
    void twoEventsOfA() throws SQLException {
        database.clear();
        publish(event("a"), event("a"));
    }

    @Test
    void whatIsExpectedIsPublished() throws SQLException {
        publish(event("a").expectingSequence(3));
        publish(
                event("b").expectingSequence(1),
                event("a").expectingSequence(4),
                event("b"),
                event("b").expectingSequence(3));
        assertThat(written()).containsExactly("a1", "a2", "a3", "b1", "a4", "b2", "b3");
    }

    @Test
    void aConflictCarriesTheActualNumberAndLeavesTheTransactionUsable() throws SQLException {
        assertConflict(3, event("a").expectingSequence(2));
        assertConflict(3, event("a").expectingSequence(1));
        assertConflict(3, event("a").expectingSequence(7));
        assertConflict(1, event("new").expectingSequence(2));
        assertConflict(4, event("a"), event("a").expectingSequence(5));
        assertConflict(3, event("a").expectingSequence(5), event("a"));
    }

    @Test
    void aConflictOfOneAggregateWritesNothingOfTheOthers() throws SQLException {
        assertConflict(
                3, event("A"), event("0").expectingSequence(1), event("a").expectingSequence(2), event("z"));
        assertConflict(
                1,
                event("a").expectingSequence(3),
                event("z").expectingSequence(9),
                event("b").unsequenced());
        assertConflict(3, event("z").expectingSequence(1), event("a").expectingSequence(9), event("a"));
    }

    @Test
    void expectationsThatContradictEachOtherAreRefused() {
        for (List<NewEvent> events : List.of(
                List.of(event("a").expectingSequence(3), event("a").expectingSequence(5)),
                List.of(event("a"), event("a").expectingSequence(1)))) {
            assertThatThrownBy(() -> publish(events.toArray(NewEvent[]::new)))
                    .isInstanceOf(EventRejectedException.class)
                    .hasMessageContaining("of order/a contradicts")
                    .hasMessageContaining("consecutive");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "new"})
    void ofTwoWritersThatExpectTheSameTheSecondIsToldOfTheFirst(String aggregate) throws Exception {
        long next = aggregate.equals("a") ? 3 : 1;
        for (boolean batch : new boolean[] {false, true}) {
            NewEvent expecting = event(aggregate).expectingSequence(next++);
            try (Connection first = database.transaction();
                    Connection second = database.transaction()) {
                OUTBOX.publish(first, expecting);
                CompletableFuture<SequenceConflictException> conflict = CompletableFuture.supplyAsync(
                        () -> catchThrowableOfType(SequenceConflictException.class, () -> {
                            OUTBOX.publish(second, batch ? List.of(expecting, event("z")) : List.of(expecting));
                        }));
                awaitAWaitingWriter();
                first.commit();
                assertThat(conflict.get().actual()).isEqualTo(next);
                OUTBOX.publish(second, event(aggregate));
                assertThat(OUTBOX.sequence(second, "order", aggregate)).isEqualTo(next);
                second.rollback();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "new"})
    void aWriterThatRollsBackIsNoConflict(String aggregate) throws Exception {
        NewEvent expecting = event(aggregate).expectingSequence(aggregate.equals("a") ? 3 : 1);
        try (Connection first = database.transaction();
                Connection second = database.transaction()) {
            OUTBOX.publish(first, expecting);
            CompletableFuture<UUID> published = CompletableFuture.supplyAsync(() -> {
                try {
                    return OUTBOX.publish(second, expecting);
                } catch (SQLException e) {
                    throw new AssertionError(e);
                }
            });
            awaitAWaitingWriter();
            first.rollback();
            published.get();
            assertThat(OUTBOX.sequence(second, "order", aggregate)).isEqualTo(expecting.expectedSequence());
        }
    }

    /** What lies outside the snapshot cannot be told: PostgreSQL's own answer is to start the transaction again. */
    @ParameterizedTest
    @ValueSource(ints = {Connection.TRANSACTION_REPEATABLE_READ, Connection.TRANSACTION_SERIALIZABLE})
    void aboveReadCommittedThePostgresErrorIsPassedOn(int isolation) throws SQLException {
        for (NewEvent late : List.of(
                event("a"),
                event("a").expectingSequence(3),
                event("new"),
                event("new").expectingSequence(1))) {
            database.clear();
            publish(event("a"), event("a"));
            try (Connection transaction = database.transaction()) {
                transaction.setTransactionIsolation(isolation);
                TestDatabase.texts(transaction, "SELECT count(*) FROM tributary.aggregate");
                publish(event("a"), event("new"));
                assertThatThrownBy(() -> OUTBOX.publish(transaction, late))
                        .isInstanceOfSatisfying(SQLException.class, e -> assertThat(e.getSQLState())
                                .isEqualTo("40001"));
            }
            try (Connection transaction = database.transaction()) {
                transaction.setTransactionIsolation(isolation);
                OUTBOX.publish(transaction, event("a"));
                assertThat(OUTBOX.sequence(transaction, "order", "a")).isEqualTo(4);
                assertThatThrownBy(
                                () -> OUTBOX.publish(transaction, event("new").expectingSequence(1)))
                        .isInstanceOf(SequenceConflictException.class);
                OUTBOX.publish(transaction, event("new"));
                assertThat(OUTBOX.sequence(transaction, "order", "new")).isEqualTo(2);
            }
        }
    }

    private static void assertConflict(long actual, NewEvent... events) throws SQLException {
        List<String> before = everything();
        try (Connection transaction = database.transaction()) {
            SequenceConflictException conflict = catchThrowableOfType(
                    SequenceConflictException.class, () -> OUTBOX.publish(transaction, List.of(events)));
            assertThat(conflict.actual()).isEqualTo(actual);
            NewEvent culprit = Arrays.stream(events)
                    .filter(e -> e.expectedSequence() != null && e.expectedSequence() == conflict.expected())
                    .filter(e -> e.aggregateId().equals(conflict.aggregateId()))
                    .findFirst()
                    .orElseThrow();
            assertThat(conflict)
                    .hasMessageContaining("number " + culprit.expectedSequence() + " of order/" + culprit.aggregateId())
                    .hasMessageContaining("would be number " + actual);
            OUTBOX.publish(transaction, event("proof").unsequenced());
            transaction.commit();
        }
        assertThat(database.text("SELECT count(*) FROM tributary.outbox WHERE aggregate_id = 'proof'"))
                .isEqualTo("1");
        database.execute("DELETE FROM tributary.outbox WHERE aggregate_id = 'proof'");
        assertThat(everything()).isEqualTo(before);
    }

    private static List<String> everything() throws SQLException {
        return database.texts("SELECT 'head ' || aggregate_id || sequence FROM tributary.aggregate"
                + " UNION ALL SELECT aggregate_id || sequence FROM tributary.outbox ORDER BY 1");
    }

    private static List<String> written() throws SQLException {
        return database.texts("SELECT aggregate_id || sequence FROM tributary.outbox ORDER BY ctid");
    }

    private static void awaitAWaitingWriter() {
        await().until(() -> database.text("SELECT count(*) FROM pg_stat_activity"
                        + " WHERE datname = current_database() AND wait_event_type = 'Lock'")
                .equals("1"));
    }

    private static NewEvent event(String id) {
        return NewEvent.raw("order", id, "order.placed.v1", "application/json", "{}".getBytes(StandardCharsets.UTF_8));
    }

    private static void publish(NewEvent... events) throws SQLException {
        try (Connection transaction = database.transaction()) {
            OUTBOX.publish(transaction, List.of(events));
            transaction.commit();
        }
    }
}
