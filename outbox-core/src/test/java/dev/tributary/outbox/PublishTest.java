package dev.tributary.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PublishTest {
    private static final String TRACE_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    record OrderPlaced(String customer, int cents, Instant at) {}

    private final EventTypes types =
            EventTypes.builder().register("order.placed", 1, OrderPlaced.class).build();
    private final Outbox outbox = Outbox.of(types);
    private static TestDatabase database;

    @BeforeAll
    static void createDatabase() throws SQLException {
        database = TestDatabase.withTables();
    }

    @BeforeEach
    void clear() throws SQLException {
        database.clear();
    }

    @Test
    void typedEventIsARowWithEverythingItCarries() throws SQLException {
        NewEvent event = NewEvent.of(
                        "order", "o-1", new OrderPlaced("Zoë", 4200, Instant.parse("2026-01-02T03:04:05Z")))
                .header("tenant", "acme \"north\"")
                .correlationId("checkout-7")
                .causationId("command-9")
                .traceParent(TRACE_PARENT)
                .traceState("vendor=1");
        UUID id = publish(event).get(0);

        assertThat(id.version()).isEqualTo(7);
        assertThat(database.text(
                        "SELECT jsonb_build_object('id', id, 'aggregate', aggregate_type || '/' || aggregate_id,"
                                + " 'sequence', sequence, 'type', type, 'content_type', content_type, 'payload', payload,"
                                + " 'headers', headers, 'fresh', now() - occurred_at < interval '1 minute')"
                                + " = jsonb_build_object('id', ?::text, 'aggregate', 'order/o-1', 'sequence', 1,"
                                + " 'type', 'order.placed.v1', 'content_type', 'application/json',"
                                + " 'payload', '{\"customer\": \"Zoë\", \"cents\": 4200, \"at\": \"2026-01-02T03:04:05Z\"}'::jsonb,"
                                + " 'headers', '{\"tenant\": \"acme \\\"north\\\"\", \"ce_correlationid\": \"checkout-7\","
                                + " \"ce_causationid\": \"command-9\", \"tracestate\": \"vendor=1\", \"traceparent\": \""
                                + TRACE_PARENT + "\"}'::jsonb, 'fresh', true) FROM tributary.outbox_readable",
                        id.toString()))
                .isEqualTo("t");
    }

    @Test
    void rawBytesAreStoredAsTheyAre() throws SQLException {
        byte[] bytes = {0, 1, (byte) 0xff, 'x'};
        publish(NewEvent.raw("image", "i", "image.taken.v3", "image/png", bytes));
        assertThat(database.text(
                        "SELECT encode(payload, 'hex') || ' ' || type || ' ' || content_type FROM tributary.outbox"))
                .isEqualTo("0001ff78 image.taken.v3 image/png");
    }

    @Test
    void manyEventsOfManyAggregatesKeepListOrderAndEachAggregatesCount() throws SQLException {
        publish(event("a"));
        List<UUID> ids = publish(
                event("b"), event("a"), event("c").unsequenced(), event("b"), event("a"), event("c"), event("b"));

        assertThat(database.texts("SELECT concat(aggregate_id, sequence) FROM tributary.outbox ORDER BY ctid OFFSET 1"))
                .containsExactly("b1", "a2", "c", "b2", "a3", "c1", "b3");
        assertThat(database.texts("SELECT id::text FROM tributary.outbox ORDER BY ctid OFFSET 1"))
                .isEqualTo(ids.stream().map(UUID::toString).toList())
                .isSorted();
        assertThat(database.texts("SELECT aggregate_id || sequence FROM tributary.aggregate ORDER BY 1"))
                .containsExactly("a3", "b3", "c1");
    }

    /** Also on the far side of where statements are made for the number of events, and once the server has planned for good. */
    @Test
    void eventsOfOneAggregateKeepListOrderHoweverMany() throws SQLException {
        for (int events = 1; events <= WriteFew.EVENTS_MAX + 2; events++) {
            database.clear();
            try (Connection transaction = database.transaction()) {
                for (int time = 0; time < 12; time++) {
                    outbox.publish(transaction, Collections.nCopies(events, event("a")));
                    outbox.publish(
                            transaction, Collections.nCopies(events, event("b").unsequenced()));
                }
                transaction.commit();
            }
            assertThat(database.texts("SELECT sequence FROM tributary.outbox WHERE aggregate_id = 'a' ORDER BY ctid"))
                    .isEqualTo(IntStream.rangeClosed(1, 12 * events)
                            .mapToObj(Integer::toString)
                            .toList());
            assertThat(database.texts("SELECT id::text FROM tributary.outbox ORDER BY ctid"))
                    .hasSize(24 * events)
                    .isSorted();
        }
    }

    @Test
    void unsequencedEventsTouchNoAggregate() throws SQLException {
        publish(event("a").unsequenced());
        publish(event("a").unsequenced(), event("b").unsequenced());
        assertThat(database.text("SELECT count(*) FROM tributary.outbox WHERE sequence IS NULL"))
                .isEqualTo("3");
        assertThat(database.text("SELECT count(*) FROM tributary.aggregate")).isEqualTo("0");
    }

    @Test
    void anAggregatesNumberIsToldToWhoeverAsks() throws SQLException {
        publish(event("a"), event("a"), event("a").unsequenced(), event("b"));
        try (Connection transaction = database.transaction()) {
            assertThat(outbox.sequence(transaction, "order", "a")).isEqualTo(2);
            outbox.publish(transaction, event("a"));
            assertThat(outbox.sequence(transaction, "order", "a")).isEqualTo(3);
            transaction.rollback();
            assertThat(outbox.sequence(transaction, "order", "a")).isEqualTo(2);
            assertThat(outbox.sequence(transaction, "order", "c")).isZero();
        }
    }

    /** Whatever forgets to give it up has PostgreSQL clear the aggregate's page with every event. */
    @Test
    void everyWayToWriteASecondEventGivesUpTheAggregatesRoom() throws SQLException {
        EventStore store = EventStore.of(types);
        for (int time = 1; time <= 2; time++) {
            publish(event("one"));
            publish(event("expecting").expectingSequence(time));
            publish(event("two at once"), event("three at once"));
            publish(Collections.nCopies(WriteFew.EVENTS_MAX + 1, event("many")).toArray(NewEvent[]::new));
            try (Connection transaction = database.transaction()) {
                store.append(transaction, List.of(event("appended")));
                store.append(transaction, time - 1, List.of(event("appended, expecting")));
                store.append(transaction, (time - 1L), List.of(event("with a snapshot")), new NewSnapshot("s.v1", "s"));
                transaction.commit();
            }
            database.execute("SELECT tributary.publish('order', 'sql', 'a.v1', '{}')");
            database.execute("SELECT tributary.append('order', 'sql, expecting', " + (time - 1) + ", 'a.v1', '{}')");
            assertThat(database.texts("SELECT aggregate_id FROM tributary.aggregate WHERE room IS NULL"))
                    .hasSize(time == 1 ? 0 : 10);
        }
        assertThat(database.text("SELECT count(*) FROM tributary.aggregate")).isEqualTo("10");
    }

    @Test
    void eachEventOfACallHasItsOwnHeadersAndContentType() throws SQLException {
        List<NewEvent> events = List.of(
                event("a").header("n", "1"),
                event("a"),
                NewEvent.raw("order", "a", "a.v1", "text/plain", new byte[] {1}).header("n", "3"));
        publish(events.toArray(NewEvent[]::new));
        publish(events.stream().map(NewEvent::unsequenced).toArray(NewEvent[]::new));
        assertThat(database.texts(
                        "SELECT concat_ws(' ', sequence, content_type, headers) FROM tributary.outbox ORDER BY ctid"))
                .containsExactly(
                        "1 application/json {\"n\":\"1\"}",
                        "2 application/json",
                        "3 text/plain {\"n\":\"3\"}",
                        "application/json {\"n\":\"1\"}",
                        "application/json",
                        "text/plain {\"n\":\"3\"}");
    }

    /** Whichever statement or function writes it. */
    @Test
    void anEventThatTheDatabaseKeepsOutIsNotLostWithoutAWord() throws SQLException {
        database.execute("CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'");
        for (String table : List.of("tributary.outbox", "tributary.event_store")) {
            database.execute("CREATE TRIGGER keep_out BEFORE INSERT ON " + table + " FOR EACH ROW"
                    + " WHEN (new.aggregate_id = 'b' OR new.sequence = 2) EXECUTE FUNCTION keep_out()");
        }
        EventStore store = EventStore.of(types);
        List<NewEvent> two = List.of(event("a"), event("a"));
        List<Write> writes = List.of(
                transaction -> outbox.publish(transaction, event("b")),
                transaction -> outbox.publish(
                        transaction,
                        List.of(event("c").unsequenced(), event("b").unsequenced())),
                transaction -> outbox.publish(transaction, List.of(event("c"), event("b"))),
                transaction -> outbox.publish(transaction, List.of(event("a").expectingSequence(1), event("a"))),
                transaction -> store.append(transaction, two),
                transaction -> store.append(transaction, 0L, two),
                transaction -> store.append(transaction, 0L, two, new NewSnapshot("s.v1", "s")),
                transaction -> TestDatabase.texts(transaction, "SELECT tributary.publish('order', 'b', 'a.v1', '{}')"),
                transaction ->
                        TestDatabase.texts(transaction, "SELECT tributary.append('order', 'b', 0, 'a.v1', '{}')"));
        try {
            for (Write write : writes) {
                try (Connection transaction = database.transaction()) {
                    assertThatThrownBy(() -> write.in(transaction))
                            .hasMessageContaining("the database has written")
                            .hasStackTraceContaining("trigger");
                }
            }
        } finally {
            database.execute("DROP FUNCTION keep_out CASCADE");
        }
    }

    private interface Write {
        void in(Connection transaction) throws SQLException;
    }

    @Test
    void anEmptyListIsNoEvent() throws SQLException {
        assertThat(publish()).isEmpty();
        assertThat(database.rows()).isZero();
    }

    @Test
    void tenThousandEventsAreOneCall() throws SQLException {
        List<NewEvent> events =
                IntStream.range(0, 10_000).mapToObj(i -> event("a" + i % 100)).toList();
        assertThat(publish(events.toArray(NewEvent[]::new))).hasSize(10_000);
        assertThat(database.text("SELECT max(sequence) FROM tributary.outbox")).isEqualTo("100");
        assertThat(database.text("SELECT count(DISTINCT (aggregate_id, sequence)) FROM tributary.outbox"))
                .isEqualTo("10000");
    }

    @Test
    void rollbackLeavesNoEventAndNoGap() throws SQLException {
        publish(event("a"));
        try (Connection transaction = database.transaction()) {
            outbox.publish(transaction, List.of(event("a"), event("b")));
            outbox.publish(transaction, event("a"));
            transaction.rollback();
        }
        publish(event("a"), event("b"));
        assertThat(database.texts("SELECT aggregate_id || sequence FROM tributary.outbox ORDER BY ctid"))
                .containsExactly("a1", "a2", "b1");
    }

    @Test
    void rollbackToASavepointLeavesNoEventAndNoGap() throws SQLException {
        try (Connection transaction = database.transaction()) {
            outbox.publish(transaction, event("a"));
            Savepoint savepoint = transaction.setSavepoint();
            outbox.publish(transaction, List.of(event("a"), event("a"), event("b")));
            transaction.rollback(savepoint);
            outbox.publish(transaction, List.of(event("a"), event("b")));
            transaction.commit();
        }
        assertThat(database.texts("SELECT aggregate_id || sequence FROM tributary.outbox ORDER BY 1"))
                .containsExactly("a1", "a2", "b1");
    }

    @Test
    void eventsOfOneStatementOccurAtItsTimeAndIdsGrow() throws SQLException {
        List<UUID> ids = IntStream.range(0, 50)
                .mapToObj(i -> List.of(event("a"), event("a")))
                .flatMap(pair -> publishUnchecked(pair).stream())
                .toList();
        assertThat(ids.stream().map(UUID::toString).toList()).isSorted();
        assertThat(database.text("SELECT count(DISTINCT occurred_at) FROM tributary.outbox"))
                .isEqualTo("50");
    }

    private static NewEvent event(String id) {
        return NewEvent.raw("order", id, "order.placed.v1", "application/json", "{}".getBytes(StandardCharsets.UTF_8));
    }

    private List<UUID> publish(NewEvent... events) throws SQLException {
        try (Connection transaction = database.transaction()) {
            List<UUID> ids = outbox.publish(transaction, List.of(events));
            transaction.commit();
            return ids;
        }
    }

    private List<UUID> publishUnchecked(List<NewEvent> events) {
        try {
            return publish(events.toArray(NewEvent[]::new));
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }
}
