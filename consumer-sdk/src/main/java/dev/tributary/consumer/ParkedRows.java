package dev.tributary.consumer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tributary.consumer.ParkedEvent.Failure;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/** Rows of {@code tributary.parked_event} and {@code tributary.discarded_event} as the events they came from. */
final class ParkedRows {
    static final String COLUMNS =
            "park_order, source, aggregate_type, aggregate_id, event_id, type, sequence, position, topic,"
                    + " topic_partition, record_offset, record_time, record_key, record_value, headers, error, stack,"
                    + " attempts, parked_at";

    private static final JsonMapper JSON = new JsonMapper();

    private ParkedRows() {}

    static List<ParkedEvent> read(PreparedStatement query) throws SQLException {
        List<ParkedEvent> events = new ArrayList<>();
        try (ResultSet row = query.executeQuery()) {
            while (row.next()) {
                events.add(event(row));
            }
        }
        return events;
    }

    private static ParkedEvent event(ResultSet row) throws SQLException {
        String error = row.getString("error");
        return new ParkedEvent(
                row.getLong("park_order"),
                aggregate(row, 2),
                row.getString("event_id"),
                row.getString("type"),
                row.getObject("sequence", Long.class),
                row.getString("position"),
                record(row),
                error == null ? null : new Failure(error, row.getString("stack"), row.getInt("attempts")),
                row.getObject("parked_at", OffsetDateTime.class).toInstant());
    }

    private static ConsumerRecord<byte[], byte[]> record(ResultSet row) throws SQLException {
        byte[] key = row.getBytes("record_key");
        byte[] value = row.getBytes("record_value");
        return new ConsumerRecord<>(
                row.getString("topic"),
                row.getInt("topic_partition"),
                row.getLong("record_offset"),
                row.getObject("record_time", OffsetDateTime.class).toInstant().toEpochMilli(),
                TimestampType.CREATE_TIME,
                key == null ? ConsumerRecord.NULL_SIZE : key.length,
                value == null ? ConsumerRecord.NULL_SIZE : value.length,
                key,
                value,
                headers(row.getString("headers")),
                Optional.empty());
    }

    /** Of three columns. */
    static Aggregate aggregate(ResultSet row, int first) throws SQLException {
        return new Aggregate(row.getString(first), row.getString(first + 1), row.getString(first + 2));
    }

    static @Nullable Instant instant(ResultSet row, int column) throws SQLException {
        OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
        return time == null ? null : time.toInstant();
    }

    /** The other way round: {@link Parking#json}. */
    private static Headers headers(String json) throws SQLException {
        try {
            Headers headers = new RecordHeaders();
            for (JsonNode one : JSON.readTree(json)) {
                headers.add(one.get(0).textValue(), value(one));
            }
            return headers;
        } catch (JsonProcessingException e) {
            throw new SQLException("tributary.parked_event.headers cannot be read: " + json, e);
        }
    }

    private static byte @Nullable [] value(JsonNode header) {
        if (header.size() > 2) {
            return Base64.getDecoder().decode(header.get(2).textValue());
        }
        return header.get(1).isNull() ? null : header.get(1).textValue().getBytes(StandardCharsets.UTF_8);
    }
}
