package dev.tributary.consumer;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.tributary.consumer.Incoming.Decoded;
import dev.tributary.outbox.wire.Position;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/** One partition's share of {@code tributary.parked_event}, on the connection of the batch's transaction. */
final class Parking {
    private static final int STACK_CHARS_MAX = 16 * 1024;
    private static final int ERROR_CHARS_MAX = 2 * 1024;
    private static final JsonMapper JSON = new JsonMapper();

    private final String subscription;
    private final TopicPartition partition;

    Parking(String subscription, TopicPartition partition) {
        this.subscription = subscription;
        this.partition = partition;
    }

    /** Why an event is parked. */
    record Poison(Throwable error, int attempts) {}

    /** What all partitions of a subscription have parked. */
    static ParkedCounts count(Connection connection, String subscription) throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement("SELECT count(DISTINCT (source, aggregate_type, aggregate_id)), count(*)"
                        + " FROM tributary.parked_event WHERE subscription = ?")) {
            query.setString(1, subscription);
            try (ResultSet row = query.executeQuery()) {
                row.next();
                return new ParkedCounts(row.getLong(1), row.getLong(2));
            }
        }
    }

    /** How many different aggregates are parked, counted no further than {@code max}. */
    int aggregates(Connection connection, int max) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT count(*) FROM (SELECT DISTINCT source, aggregate_type, aggregate_id FROM tributary.parked_event"
                        + " WHERE subscription = ? AND topic = ? AND topic_partition = ? LIMIT ?) AS aggregates")) {
            query.setString(1, subscription);
            query.setString(2, partition.topic());
            query.setInt(3, partition.partition());
            query.setInt(4, max);
            try (ResultSet row = query.executeQuery()) {
                row.next();
                return row.getInt(1);
            }
        }
    }

    /** Which of these aggregates are parked. */
    Set<Aggregate> parked(Connection connection, List<Aggregate> candidates) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT source, type, id FROM unnest(?, ?, ?) AS c (source, type, id) WHERE EXISTS ("
                        + "SELECT FROM tributary.parked_event p WHERE p.subscription = ? AND p.source = c.source"
                        + " AND p.aggregate_type = c.type AND p.aggregate_id = c.id)")) {
            query.setArray(1, texts(connection, candidates.stream().map(Aggregate::source)));
            query.setArray(2, texts(connection, candidates.stream().map(Aggregate::type)));
            query.setArray(3, texts(connection, candidates.stream().map(Aggregate::id)));
            query.setString(4, subscription);
            Set<Aggregate> parked = new HashSet<>();
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    parked.add(new Aggregate(rows.getString(1), rows.getString(2), rows.getString(3)));
                }
            }
            return parked;
        }
    }

    /**
     * Parks an event behind those of its aggregate that are parked already.
     *
     * @param poison what is wrong with it; null if it only waits for earlier ones
     */
    void park(Connection connection, Decoded incoming, @Nullable Poison poison) throws SQLException {
        Event<byte[]> event = incoming.event();
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO tributary.parked_event"
                + " (subscription, source, aggregate_type, aggregate_id, event_id, type, topic, topic_partition,"
                + " record_offset, record_time, position, sequence, record_key, record_value, headers, error, stack,"
                + " attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::json, ?, ?, ?)")) {
            insert.setString(1, subscription);
            insert.setString(2, event.source());
            insert.setString(3, event.aggregateType());
            insert.setString(4, event.aggregateId());
            insert.setString(5, event.id());
            insert.setString(6, event.type());
            insert.setString(7, event.topic());
            insert.setInt(8, event.partition());
            insert.setLong(9, event.offset());
            insert.setObject(10, utc(incoming.record().timestamp()));
            Position position = event.position();
            insert.setString(11, position == null ? null : position.toString());
            insert.setObject(12, event.sequence(), Types.BIGINT);
            insert.setBytes(13, incoming.record().key());
            insert.setBytes(14, incoming.record().value());
            insert.setString(15, json(incoming.record().headers()));
            insert.setString(16, poison == null ? null : storable(poison.error().toString(), ERROR_CHARS_MAX));
            insert.setString(17, poison == null ? null : storable(stack(poison.error()), STACK_CHARS_MAX));
            insert.setInt(18, poison == null ? 0 : poison.attempts());
            insert.executeUpdate();
        }
    }

    private static OffsetDateTime utc(long epochMillis) {
        return Instant.ofEpochMilli(epochMillis).atOffset(ZoneOffset.UTC);
    }

    private static Array texts(Connection connection, Stream<String> values) throws SQLException {
        return connection.createArrayOf("text", values.toArray());
    }

    private static String json(Headers headers) {
        ArrayNode all = JSON.createArrayNode();
        for (Header header : headers) {
            byte[] value = header.value();
            ArrayNode one = all.addArray().add(header.key());
            if (value == null || EventDecoder.isUtf8(value)) {
                one.add(value == null ? null : new String(value, StandardCharsets.UTF_8));
            } else {
                one.addNull().add(Base64.getEncoder().encodeToString(value));
            }
        }
        return all.toString();
    }

    private static String stack(Throwable error) {
        StringWriter text = new StringWriter();
        error.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    /** PostgreSQL's text takes neither NUL nor half a surrogate pair, and messages may have either. */
    private static String storable(String text, int charsMax) {
        String cut = text.substring(0, Math.min(text.length(), charsMax)).replace('\0', '\uFFFD');
        return new String(cut.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    }
}
