package dev.tributary.relay.source.debezium;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.EventColumn;
import dev.tributary.relay.config.OutboxLayout;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.jspecify.annotations.Nullable;

/** Reads events out of rows as Debezium describes them. Not thread-safe. */
final class OutboxRows {
    private static final JsonMapper JSON = new JsonMapper();

    private final OutboxLayout layout;
    private final byte[] contentType;
    private @Nullable Schema schema;
    private final Map<EventColumn, Field> fields = new EnumMap<>(EventColumn.class);
    private final Map<String, Field> headers = new LinkedHashMap<>();

    OutboxRows(OutboxLayout layout) {
        this.layout = layout;
        this.contentType = layout.contentType().getBytes(StandardCharsets.UTF_8);
    }

    /**
     * The event that {@code row} of {@code table} holds; its position is not known yet.
     *
     * @throws RelayException.Stopped if it holds none
     */
    OutboxEvent event(String table, Struct row, Instant committedAt) {
        if (row.schema() != schema) {
            resolve(table, row.schema());
        }
        try {
            return new OutboxEvent(
                    Position.START,
                    committedAt,
                    UUID.fromString(text(table, row, EventColumn.ID)),
                    text(table, row, EventColumn.AGGREGATE_TYPE),
                    utf8(table, row, EventColumn.AGGREGATE_ID),
                    sequence(row),
                    utf8(table, row, EventColumn.TYPE),
                    fields.containsKey(EventColumn.CONTENT_TYPE)
                            ? utf8(table, row, EventColumn.CONTENT_TYPE)
                            : contentType,
                    payload(table, row),
                    headers(row),
                    fields.containsKey(EventColumn.OCCURRED_AT) ? time(table, row) : committedAt);
        } catch (IllegalArgumentException | DateTimeException e) {
            throw new RelayException.Stopped(
                    "a row of " + table + " is no event: " + e.getMessage(),
                    "id must be a UUID, and times must lie between the years 1 and 9999; see docs/operating.md",
                    e);
        }
    }

    /** Rows have another schema object when the table has changed, and, with several tables, in turns. */
    private void resolve(String table, Schema rows) {
        fields.clear();
        headers.clear();
        layout.columns().forEach((column, name) -> fields.put(column, find(table, rows, name)));
        layout.headers().forEach((name, header) -> headers.put(header, find(table, rows, name)));
        schema = rows;
    }

    private static Field find(String table, Schema rows, String name) {
        Field field = rows.field(name);
        if (field == null) {
            throw new RelayException.Stopped(
                    "table " + table + " has no column " + name + "; it has "
                            + rows.fields().stream().map(Field::name).toList(),
                    "restore the column (`init --dry-run` prints Tributary's tables) or correct its name in the"
                            + " configuration, then restart the relay",
                    null);
        }
        return field;
    }

    private @Nullable Object value(Struct row, EventColumn column) {
        Field field = fields.get(column);
        return field == null ? null : row.get(field);
    }

    private Object present(String table, Struct row, EventColumn column) {
        Object value = value(row, column);
        if (value == null) {
            throw new RelayException.Stopped(
                    "a row of " + table + " has no " + column.name().toLowerCase(Locale.ROOT),
                    "the column must be NOT NULL; see docs/operating.md",
                    null);
        }
        return value;
    }

    private String text(String table, Struct row, EventColumn column) {
        return text(present(table, row, column));
    }

    /** As PostgreSQL would write it. */
    private static String text(Object value) {
        if (value instanceof Boolean bool) {
            return bool ? "t" : "f";
        }
        return value.toString();
    }

    private byte[] utf8(String table, Struct row, EventColumn column) {
        return text(table, row, column).getBytes(StandardCharsets.UTF_8);
    }

    private long sequence(Struct row) {
        return value(row, EventColumn.SEQUENCE) instanceof Long sequence ? sequence : 0;
    }

    private byte[] payload(String table, Struct row) {
        if (!layout.isOwn() && value(row, EventColumn.PAYLOAD) == null) {
            return new byte[0];
        }
        return bytes(present(table, row, EventColumn.PAYLOAD));
    }

    private static byte[] bytes(Object value) {
        if (value instanceof ByteBuffer buffer) {
            byte[] bytes = new byte[buffer.remaining()];
            buffer.duplicate().get(bytes);
            return bytes;
        }
        return value instanceof byte[] bytes ? bytes : text(value).getBytes(StandardCharsets.UTF_8);
    }

    private byte @Nullable [] headers(Struct row) {
        if (fields.containsKey(EventColumn.HEADERS)) {
            Object json = value(row, EventColumn.HEADERS);
            return json == null ? null : bytes(json);
        }
        ObjectNode object = JSON.createObjectNode();
        headers.forEach((name, field) -> {
            Object value = row.get(field);
            if (value != null) {
                object.put(name, text(value));
            }
        });
        return object.isEmpty() ? null : object.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Timestamps with time zone are text, others numbers, in a unit that depends on their precision. */
    private Instant time(String table, Struct row) {
        Object value = present(table, row, EventColumn.OCCURRED_AT);
        if (value instanceof Long number) {
            Field field = fields.get(EventColumn.OCCURRED_AT);
            boolean micros =
                    field != null && String.valueOf(field.schema().name()).endsWith("MicroTimestamp");
            return Instant.EPOCH.plus(number, micros ? ChronoUnit.MICROS : ChronoUnit.MILLIS);
        }
        return OffsetDateTime.parse(value.toString()).toInstant();
    }
}
