package dev.tributary.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * {@code tributary.publish} and {@code tributary.append} beside {@link Outbox} and {@link EventStore}: the same input is taken by
 * both or by neither, and leaves the same row.
 */
class SqlMatchesJavaTest {
    private static final String PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    private static final EventTypes NONE = EventTypes.builder().build();
    private static final Outbox OUTBOX = Outbox.of(NONE);
    private static final EventStore STORE = EventStore.of(NONE);
    /** Half a surrogate pair, too, becomes what other languages could write. */
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

    private static final String TEXT = "convert_from(?::bytea, 'UTF8')";

    private static TestDatabase database;
    private static Connection connection;

    @BeforeAll
    static void open() throws SQLException {
        database = TestDatabase.withTables();
        connection = database.transaction();
        STORE.append(connection, List.of(event(new Input("order", "there", "a.v1", "{}", Map.of()))));
    }

    @AfterAll
    static void close() throws SQLException {
        connection.close();
    }

    /** @param headers as SQL takes them: traceparent and its like among the writer's own */
    record Input(
            @Nullable String aggregateType,
            @Nullable String aggregateId,
            @Nullable String type,
            @Nullable String payload,
            Map<String, @Nullable String> headers) {
        private static String brief(@Nullable String text) {
            return text == null || text.length() < 40
                    ? String.valueOf(text)
                    : text.substring(0, 20) + "…" + text.length();
        }

        @Override
        public String toString() {
            StringBuilder text = new StringBuilder();
            (brief(aggregateType) + " " + brief(aggregateId) + " " + brief(type) + " " + brief(payload) + " "
                            + headers.keySet().stream().map(Input::brief).toList()
                            + headers.values().stream().map(Input::brief).toList())
                    .chars()
                    .forEach(each ->
                            text.append(each >= ' ' && each < 0x7f ? (char) each : String.format("\\%04x", each)));
            return text.toString();
        }
    }

    /** What came of it: what is stored, or nothing. */
    private interface Attempt {
        void run() throws SQLException;
    }

    static Stream<Input> inputs() {
        List<Input> inputs = new ArrayList<>();
        for (String type : new String[] {
            null, "", " ", "a", "a b", "a/b", "ä", "a\n", "A.b_c-9", "x".repeat(100), "x".repeat(101), "a\0", "\ud83d"
        }) {
            inputs.add(new Input(type, "1", "a.v1", "{}", Map.of()));
        }
        for (String id : new String[] {
            null,
            "",
            " ",
            "\t",
            "\n",
            "\u000b",
            "\u001c",
            "\u001f",
            "\u0085",
            "\u00a0",
            "\u1680",
            "\u180e",
            "\u2003",
            "\u2007",
            "\u200b",
            "\u2028",
            "\u202f",
            "\u205f",
            "\u3000",
            "\ufeff",
            " \u2003\t",
            " x ",
            "a\n",
            "'; --",
            "\\",
            "\ud83d\ude00",
            "\ud83d",
            "x\udc00",
            "a\0",
            "x".repeat(1024),
            "x".repeat(1025),
            "é".repeat(512),
            "é".repeat(512) + "x",
            "\ud83d\ude00".repeat(256),
            "\ud83d\ude00".repeat(257)
        }) {
            inputs.add(new Input("order", id, "a.v1", "{}", Map.of()));
        }
        for (String type : new String[] {
            null,
            "",
            "v1",
            ".v1",
            "a",
            "a.v0",
            "a.v01",
            "a.v1",
            "a.v-1",
            "a.v1.v2",
            "a.V1",
            "a.v1 ",
            "a.v1\n",
            "a..v1",
            "-a.v1",
            "9.v9",
            "a:b/c_d-e.v3",
            "a.v999999999",
            "a.v1000000000",
            "ä.v1",
            "a.v١",
            "x".repeat(252) + ".v1",
            "x".repeat(253) + ".v1",
            "a\0.v1"
        }) {
            inputs.add(new Input("order", "1", type, "{}", Map.of()));
        }
        for (String payload : new String[] {
            null,
            "{}",
            " [1, 2] ",
            "\"\\u0000\"",
            "\"\\ud83d\"",
            "{\"a\":1,\"a\":2}",
            "1e400",
            "\"é\"",
            "null",
            '"' + "x".repeat(900 * 1024 - 2) + '"',
            '"' + "x".repeat(900 * 1024 - 1) + '"',
            '"' + "é".repeat(450 * 1024 - 1) + '"',
            '"' + "é".repeat(450 * 1024) + '"'
        }) {
            inputs.add(new Input("order", "1", "a.v1", payload, Map.of()));
        }
        headers().forEach(headers -> inputs.add(new Input("order", "1", "a.v1", "{}", headers)));
        return inputs.stream();
    }

    private static Stream<Map<String, @Nullable String>> headers() {
        List<Map<String, @Nullable String>> all = new ArrayList<>();
        for (String name : new String[] {
            "tenant",
            "Tenant",
            "",
            " ",
            "\u2003",
            "\u00a0",
            "\u001c",
            "a b",
            "é",
            "\"",
            "\\",
            "ce_id",
            "CE_id",
            "ce-id",
            "ce",
            "kafka_x",
            "Kafka_x",
            "\u212aafka_x",
            "kafka",
            "content-type",
            "Content-Type",
            "CONTENT-TYPE",
            "Traceparent",
            "TraceState",
            "CE_CorrelationId",
            "n\0",
            "\ud83d",
            "x".repeat(65_535),
            "x".repeat(65_536)
        }) {
            all.add(Map.of(name, "v"));
        }
        for (String value : new String[] {
            "",
            " ",
            "\u2003",
            "a\0",
            "\ud83d",
            "\ud83d\ude00",
            "\n",
            "x".repeat(65_530),
            "x".repeat(65_531),
            "é".repeat(32_765),
            "é".repeat(32_766)
        }) {
            all.add(Map.of("tenant", value));
            all.add(Map.of("ce_correlationid", value));
            all.add(Map.of("ce_causationid", value));
            all.add(Map.of("traceparent", PARENT, "tracestate", value));
        }
        Map<String, @Nullable String> withNull = new LinkedHashMap<>();
        withNull.put("tenant", null);
        all.add(withNull);
        for (String parent : new String[] {
            PARENT,
            "",
            PARENT + "-00",
            PARENT + "\n",
            PARENT.toUpperCase(java.util.Locale.ROOT),
            "ff" + PARENT.substring(2),
            "00-" + "0".repeat(32) + PARENT.substring(35),
            PARENT.substring(0, 36) + "0".repeat(16) + "-01",
            "01" + PARENT.substring(2)
        }) {
            all.add(Map.of("traceparent", parent));
        }
        all.add(Map.of("tracestate", "vendor=1"));
        all.add(Map.of("traceparent", PARENT, "tracestate", "vendor=1,other=ä"));
        all.add(Map.of(
                "traceparent",
                PARENT,
                "tracestate",
                "vendor=1",
                "ce_correlationid",
                "c",
                "ce_causationid",
                "d",
                "own",
                "e"));
        return all.stream();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("inputs")
    void publishTakesAndStoresTheSame(Input input) throws SQLException {
        String java = stored("outbox", () -> OUTBOX.publish(connection, List.of(event(input))));
        String sql = stored(
                "outbox",
                () -> TestDatabase.texts(
                        connection,
                        "SELECT tributary.publish(" + TEXT + ", " + TEXT + ", " + TEXT
                                + ", ?::text::json, ?::text::json)",
                        arguments(input)));
        assertThat(sql).isEqualTo(java);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("inputs")
    void appendTakesAndStoresTheSame(Input input) throws SQLException {
        for (Long expected : new Long[] {null, 0L, 1L, -1L, Long.MIN_VALUE, Long.MAX_VALUE}) {
            Input there = input.aggregateId() != null && input.aggregateId().equals("1")
                    ? new Input(input.aggregateType(), "there", input.type(), input.payload(), input.headers())
                    : input;
            String java = stored("event_store", () -> STORE.append(connection, expected, List.of(event(there)), null));
            String sql = stored("event_store", () -> {
                Object[] event = arguments(there);
                TestDatabase.texts(
                        connection,
                        "SELECT appended FROM tributary.append(" + TEXT + ", " + TEXT + ", ?::bigint, " + TEXT
                                + ", ?::text::json, ?::text::json)",
                        event[0],
                        event[1],
                        expected,
                        event[2],
                        event[3],
                        event[4]);
            });
            assertThat(sql).as("expecting " + expected).isEqualTo(java);
        }
    }

    private static Object[] arguments(Input input) {
        return new Object[] {
            utf8(input.aggregateType()),
            utf8(input.aggregateId()),
            utf8(input.type()),
            input.payload(),
            json(input.headers())
        };
    }

    /** As others write it who do not look: half a surrogate pair becomes three bytes, where Java would make a question mark of it. */
    private static byte @Nullable [] utf8(@Nullable String text) {
        if (text == null) {
            return null;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        text.codePoints().forEach(each -> {
            if (each >= Character.MIN_SURROGATE && each <= Character.MAX_SURROGATE) {
                bytes.write(0xe0 | (each >> 12));
                bytes.write(0x80 | ((each >> 6) & 0x3f));
                bytes.write(0x80 | (each & 0x3f));
            } else {
                bytes.writeBytes(Character.toString(each).getBytes(StandardCharsets.UTF_8));
            }
        });
        return bytes.toByteArray();
    }

    private static @Nullable String json(Map<String, @Nullable String> headers) {
        try {
            return headers.isEmpty() ? null : JSON.writeValueAsString(headers);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Java's API has methods of their own for what SQL has reserved names for. */
    private static NewEvent event(Input input) {
        String payload = input.payload();
        NewEvent event = NewEvent.raw(
                input.aggregateType(),
                input.aggregateId(),
                input.type(),
                "application/json",
                payload == null ? null : payload.getBytes(StandardCharsets.UTF_8));
        for (Map.Entry<String, @Nullable String> header : input.headers().entrySet()) {
            event = switch (header.getKey()) {
                case "traceparent" -> event.traceParent(header.getValue());
                case "tracestate" -> event.traceState(header.getValue());
                case "ce_correlationid" -> event.correlationId(header.getValue());
                case "ce_causationid" -> event.causationId(header.getValue());
                default -> event.header(header.getKey(), header.getValue());
            };
        }
        return event;
    }

    /** The row that it leaves, "nothing" after a conflict, or "refused". Leaves nothing behind itself. */
    private static String stored(String table, Attempt attempt) throws SQLException {
        Savepoint before = connection.setSavepoint();
        try {
            attempt.run();
            List<String> rows = TestDatabase.texts(
                    connection,
                    "SELECT concat_ws(' | ', aggregate_type, aggregate_id, sequence, type, content_type, encode(payload, 'hex'),"
                            + " coalesce(headers, '{}')::jsonb, id IS NOT NULL, occurred_at > now() - interval '1 day') FROM"
                            + " tributary." + table + " WHERE aggregate_id <> 'there' OR sequence > 1");
            return rows.isEmpty() ? "nothing" : String.join("\n", rows);
        } catch (EventRejectedException | SQLException e) {
            return "refused";
        } finally {
            connection.rollback(before);
        }
    }
}
