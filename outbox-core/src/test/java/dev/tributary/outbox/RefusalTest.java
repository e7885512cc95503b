package dev.tributary.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What is refused is refused before anything is written, by a message that names the thing and the remedy. */
class RefusalTest {
    record OrderPlaced(String customer) {}

    record OrderLost(String customer) {}

    record Endless(String name) {
        public Endless getSelf() {
            return this;
        }
    }

    private static final Outbox OUTBOX = Outbox.of(EventTypes.builder()
            .register("order.placed", 1, OrderPlaced.class)
            .register("endless", 1, Endless.class)
            .build());
    private static TestDatabase database;

    @BeforeAll
    static void createDatabase() throws SQLException {
        database = TestDatabase.withTables();
    }

    @BeforeEach
    void clear() throws SQLException {
        database.clear();
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                refused("aggregate type null", "A-Z a-z", () -> raw(null, "1", "a.v1", "a/b")),
                refused("aggregate type ''", "A-Z a-z", () -> raw("", "1", "a.v1", "a/b")),
                refused("aggregate type 'sales order'", "topic name", () -> raw("sales order", "1", "a.v1", "a/b")),
                refused("aggregate type 'x", "1 to 100", () -> raw("x".repeat(101), "1", "a.v1", "a/b")),
                refused("aggregate id is null", "pass the id", () -> raw("order", null, "a.v1", "a/b")),
                refused("aggregate id is null or blank", "pass the id", () -> raw("order", " \t", "a.v1", "a/b")),
                refused("aggregate id has 1025", "shorter", () -> raw("order", "é".repeat(512) + "x", "a.v1", "a/b")),
                refused(
                        "aggregate id contains the character U+0000",
                        "remove",
                        () -> raw("order", "a\0", "a.v1", "a/b")),
                refused("aggregate id contains half", "cut", () -> raw("order", "a\ud83d", "a.v1", "a/b")),
                refused("event type null", "order.placed.v1", () -> raw("order", "1", null, "a/b")),
                refused("event type 'placed'", "order.placed.v1", () -> raw("order", "1", "placed", "a/b")),
                refused("event type 'placed.v0'", "order.placed.v1", () -> raw("order", "1", "placed.v0", "a/b")),
                refused("event type 'x", "at most 255", () -> raw("order", "1", "x".repeat(253) + ".v1", "a/b")),
                refused("content type null", "application/json", () -> raw("order", "1", "a.v1", null)),
                refused("content type 'json'", "application/json", () -> raw("order", "1", "a.v1", "json")),
                refused("content type 'a/", "at most 255", () -> raw("order", "1", "a.v1", "a/" + "b".repeat(254))),
                refused("payload is null", "empty array", () -> NewEvent.raw("order", "1", "a.v1", "a/b", null)),
                refused("payload is null", "registered class", () -> NewEvent.of("order", "1", null)),
                refused(
                        "OrderLost is not registered",
                        ".register(\"<name>\", <version>, OrderLost.class)",
                        () -> NewEvent.of("order", "1", new OrderLost("Ann"))),
                refused(
                        "endless.v1 cannot be written as JSON",
                        "Endless",
                        () -> NewEvent.of("o", "1", new Endless(""))),
                refused(
                        "payload of a.v1 for order/1 has 921601 bytes, the limit is 921600",
                        "publish a reference",
                        () -> NewEvent.raw("order", "1", "a.v1", "a/b", new byte[900 * 1024 + 1])),
                refused("header name is null or blank", "name every", () -> event().header(" ", "x")),
                refused("header name 'ce_id' is reserved", "correlationId", () -> event().header("ce_id", "x")),
                refused("header name 'Kafka_x' is reserved", "another", () -> event().header("Kafka_x", "x")),
                refused("header name 'Content-Type'", "another", () -> event().header("Content-Type", "x")),
                refused("header name 'traceparent'", "traceParent", () -> event().header("traceparent", "x")),
                refused("header 'tenant' is null", "leave it out", () -> event().header("tenant", null)),
                refused("header 'tenant' contains the character U+0000", "remove", () -> event().header(
                                "tenant", "\0")),
                refused("header name contains half", "cut", () -> event().header("\udc00", "x")),
                refused("headers of raw.v1 of order/1 have 65537 bytes", "65536", () -> event().header(
                                "a", "x".repeat(65_535))
                        .header("b", "")),
                refused("correlation id is null or blank", "leave it out", () -> event().correlationId("")),
                refused("causation id is null or blank", "leave it out", () -> event().causationId(null)),
                refused("traceparent null", "leave it out", () -> event().traceParent(null)),
                refused("traceparent '00-0AF", "lower case", () -> event().traceParent(
                                "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01")),
                refused("traceparent '00-000", "W3C", () -> event().traceParent(
                                "00-00000000000000000000000000000000-b7ad6b7169203331-01")),
                refused("traceparent 'ff-", "W3C", () -> event().traceParent(
                                "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")),
                refused("tracestate ' '", "leave it out", () -> event().traceState(" ")),
                refused("has a tracestate", "without traceparent", () -> event().traceState("vendor=1")),
                refused("expected sequence 0 is impossible", "number 1", () -> event().expectingSequence(0)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refused")
    void isRefusedBeforeAnythingIsWritten(String thing, String remedy, Supplier<NewEvent> bad) throws SQLException {
        try (Connection transaction = database.transaction()) {
            assertThatThrownBy(() -> OUTBOX.publish(transaction, List.of(event(), bad.get(), event())))
                    .isInstanceOf(EventRejectedException.class)
                    .hasMessageContaining(thing)
                    .hasMessageContaining(remedy);
            assertThat(TestDatabase.texts(transaction, "SELECT 'still usable'")).containsExactly("still usable");
            transaction.commit();
        }
        assertThat(database.rows()).isZero();
    }

    @Test
    void whatIsJustWithinTheLimitsIsNotRefused() throws SQLException {
        NewEvent largest = NewEvent.raw(
                        "x".repeat(100),
                        "é".repeat(512),
                        "x".repeat(252) + ".v1",
                        "a/" + "b".repeat(253),
                        new byte[900 * 1024])
                .header("a", "x".repeat(65_535));
        try (Connection transaction = database.transaction()) {
            OUTBOX.publish(transaction, List.of(largest, largest));
            OUTBOX.publish(transaction, largest);
            transaction.commit();
        }
        assertThat(database.texts("SELECT sequence FROM tributary.outbox")).containsExactly("1", "2", "3");
    }

    @Test
    void anAutoCommittingConnectionIsRefused() throws SQLException {
        try (Connection connection = database.autoCommitting()) {
            assertThatThrownBy(() -> OUTBOX.publish(connection, event()))
                    .isInstanceOf(EventRejectedException.class)
                    .hasMessageContaining("auto-commit")
                    .hasMessageContaining("setAutoCommit(false)");
        }
        assertThat(database.rows()).isZero();
    }

    @Test
    void moreThanACallCanCarryIsRefused() throws SQLException {
        NewEvent large = NewEvent.raw("order", "1", "a.v1", "a/b", new byte[900 * 1024]);
        try (Connection transaction = database.transaction()) {
            assertThatThrownBy(() -> OUTBOX.publish(transaction, Collections.nCopies(73, large)))
                    .isInstanceOf(EventRejectedException.class)
                    .hasMessageContaining("67108864 bytes")
                    .hasMessageContaining("several calls");
            transaction.commit();
        }
        assertThat(database.rows()).isZero();
    }

    @Test
    void theLimitIsConfigurable() {
        Outbox small =
                Outbox.builder(EventTypes.builder().build()).payloadBytesMax(1).build();
        assertThatThrownBy(() -> {
                    try (Connection transaction = database.transaction()) {
                        small.publish(transaction, event());
                    }
                })
                .hasMessageContaining("the limit is 1:");
    }

    @Test
    void missingTablesAreNamedWithTheRemedy() throws SQLException {
        TestDatabase empty = TestDatabase.empty();
        for (List<NewEvent> events :
                List.of(List.of(event()), List.of(event().unsequenced()), List.of(event(), event()))) {
            try (Connection transaction = empty.transaction()) {
                assertThatThrownBy(() -> OUTBOX.publish(transaction, events))
                        .isInstanceOf(OutboxException.class)
                        .hasMessageContaining("missing in this database")
                        .hasMessageContaining("relay init")
                        .hasMessageContaining("classpath:tributary/outbox")
                        .hasCauseInstanceOf(SQLException.class);
            }
        }
    }

    private static Arguments refused(String thing, String remedy, Supplier<NewEvent> bad) {
        return Arguments.of(thing, remedy, bad);
    }

    private static NewEvent event() {
        return raw("order", "1", "raw.v1", "application/json");
    }

    private static NewEvent raw(String aggregateType, String aggregateId, String type, String contentType) {
        return NewEvent.raw(aggregateType, aggregateId, type, contentType, "{}".getBytes(StandardCharsets.UTF_8));
    }
}
