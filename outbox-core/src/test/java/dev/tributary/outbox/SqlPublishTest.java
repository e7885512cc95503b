package dev.tributary.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.util.PSQLException;

/** {@code tributary.publish}: the same rows and the same refusals as the Java side, from any language. */
class SqlPublishTest {
    private static final String PUBLISH =
            "SELECT tributary.publish(?::text, ?::text, ?::text, ?::text::json, ?::text::json)";
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
    void writesTheSameRowAsJava() throws SQLException {
        byte[] payload = "{\"customer\": \"Zoë\"}".getBytes(StandardCharsets.UTF_8);
        try (Connection transaction = database.transaction()) {
            NewEvent event = NewEvent.raw("order", "o-1", "order.placed.v1", "application/json", payload)
                    .header("tenant", "acme")
                    .correlationId("checkout-7")
                    .traceParent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
                    .traceState("vendor=1");
            Outbox.of(EventTypes.builder().build()).publish(transaction, event);
            transaction.commit();
        }
        UUID id = UUID.fromString(publish(
                "order",
                "o-1",
                "order.placed.v1",
                "{\"customer\": \"Zoë\"}",
                "{\"tenant\":\"acme\",\"ce_correlationid\":\"checkout-7\",\"tracestate\":\"vendor=1\","
                        + "\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"}"));

        assertThat(database.texts("SELECT DISTINCT concat_ws(' ', aggregate_type, aggregate_id, type, content_type,"
                        + " convert_from(payload, 'UTF8'), headers::jsonb) FROM tributary.outbox"))
                .hasSize(1);
        assertThat(database.texts("SELECT sequence FROM tributary.outbox ORDER BY ctid"))
                .containsExactly("1", "2");
        assertThat(database.text("SELECT id::text FROM tributary.outbox WHERE sequence = 2"))
                .isEqualTo(id.toString());
        assertThat(id.version()).isEqualTo(7);
        assertThat(id.variant()).isEqualTo(2);
        assertThat(id.getMostSignificantBits() >>> 16)
                .isBetween(System.currentTimeMillis() - 60_000, System.currentTimeMillis() + 60_000);
    }

    @Test
    void headersMayBeLeftOut() throws SQLException {
        database.execute("SELECT tributary.publish('order', 'o-1', 'order.placed.v1', '{}')");
        database.execute("SELECT tributary.publish('order', 'o-2', 'order.placed.v1', '{}', '{}')");
        assertThat(database.texts("SELECT headers FROM tributary.outbox ORDER BY ctid"))
                .containsExactly(null, "{}");
    }

    @Test
    void rollbackLeavesNoGap() throws SQLException {
        database.execute("BEGIN; SELECT tributary.publish('order', 'o', 'a.v1', '{}'); ROLLBACK;"
                + " SELECT tributary.publish('order', 'o', 'a.v1', '{}')");
        assertThat(database.texts("SELECT sequence FROM tributary.outbox")).containsExactly("1");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "null",
            value = {
                "null|1|a.v1|{}|aggregate type NULL|topic name",
                "sales order|1|a.v1|{}|aggregate type 'sales order'|topic name",
                "order|null|a.v1|{}|aggregate id is null or blank|Kafka key",
                "order|' '|a.v1|{}|aggregate id is null or blank|Kafka key",
                "order|1|null|{}|event type NULL|order.placed.v1",
                "order|1|placed|{}|event type 'placed'|order.placed.v1",
                "order|1|placed.v01|{}|event type 'placed.v01'|order.placed.v1",
                "order|1|a.v1|null|payload is null|Pass {}"
            })
    void refusesWhatJavaRefuses(
            String aggregateType, String aggregateId, String type, String payload, String thing, String remedy)
            throws SQLException {
        assertRefused(thing, remedy, aggregateType, aggregateId, type, payload, null);
    }

    @Test
    void refusesWhatIsTooLarge() throws SQLException {
        assertRefused("aggregate type 'x", "1 to 100", "x".repeat(101), "1", "a.v1", "{}", null);
        assertRefused("1025 bytes, the limit is 1024", "shorter", "a", "é".repeat(512) + "x", "a.v1", "{}", null);
        assertRefused("event type 'x", "at most 255", "order", "1", "x".repeat(253) + ".v1", "{}", null);
        String tooLarge = "\"" + "x".repeat(900 * 1024 - 1) + "\"";
        assertRefused("921601 bytes, the limit is 921600", "reference", "order", "1", "a.v1", tooLarge, null);
        String headers = "{\"a\": \"" + "x".repeat(65_536) + "\"}";
        assertRefused("65537 bytes, the limit is 65536", "payload", "order", "1", "a.v1", "{}", headers);
    }

    @Test
    void takesWhatIsJustWithinTheLimits() throws SQLException {
        publish(
                "x".repeat(100),
                "é".repeat(512),
                "x".repeat(252) + ".v1",
                "\"" + "x".repeat(900 * 1024 - 2) + "\"",
                "{\"a\": \"" + "x".repeat(65_535) + "\"}");
        assertThat(database.text("SELECT octet_length(payload) FROM tributary.outbox"))
                .isEqualTo("921600");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[]|headers are a JSON array|flat object",
                "null|headers are a JSON null|flat object",
                "{\" \": \"x\"}|a header has a blank name|Name every",
                "{\"n\": 1}|header n is a JSON number|in quotes",
                "{\"n\": null}|header n is a JSON null|in quotes",
                "{\"n\": {\"m\": \"x\"}}|header n is a JSON object|in quotes",
                "{\"n\": \"a\", \"n\": \"b\"}|header n is there twice|once",
                "{\"ce_id\": \"x\"}|header name ce_id is reserved|ce_correlationid",
                "{\"Kafka_x\": \"x\"}|\"Kafka_x\" is reserved|another",
                "{\"Content-Type\": \"x\"}|\"Content-Type\" is reserved|another",
                "{\"ce_causationid\": \" \"}|header ce_causationid is blank|leave it out",
                "{\"traceparent\": \"00-x\"}|traceparent '00-x'|W3C|",
                "{\"tracestate\": \"a=1\"}|tracestate has no meaning without traceparent|both",
                "{\"tracestate\": \" \"}|tracestate is blank|leave it out",
            })
    void refusesHeadersThatJavaRefuses(String headers, String thing, String remedy) throws SQLException {
        assertRefused(thing, remedy.equals("W3C") ? "your tracer" : remedy, "order", "1", "a.v1", "{}", headers);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"n\": \"\\u0000\"}", "{\"n\": \"\\ud83d\"}"})
    void refusesHeadersThatAreNoText(String headers) throws SQLException {
        assertThatThrownBy(() -> publish("order", "1", "a.v1", "{}", headers))
                .isInstanceOf(PSQLException.class)
                .hasMessageContaining("nicode");
        assertThat(database.rows()).isZero();
    }

    private static void assertRefused(String thing, String remedy, String... arguments) throws SQLException {
        assertThatThrownBy(() -> publish(arguments)).isInstanceOfSatisfying(PSQLException.class, e -> {
            assertThat(e.getServerErrorMessage().getMessage())
                    .startsWith("tributary: ")
                    .contains(thing);
            assertThat(e.getServerErrorMessage().getHint()).contains(remedy);
            assertThat(e.getSQLState()).isEqualTo("22023");
        });
        assertThat(database.rows()).isZero();
    }

    private static String publish(String... arguments) throws SQLException {
        List<String> ids = database.texts(PUBLISH, (Object[]) arguments);
        return ids.get(0);
    }
}
