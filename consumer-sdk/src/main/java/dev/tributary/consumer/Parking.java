package dev.tributary.consumer;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.tributary.consumer.Incoming.Decoded;
import dev.tributary.consumer.ParkedEvent.Failure;
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
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
    private final ParkedSequences sequences;

    Parking(String subscription, TopicPartition partition) {
        this.subscription = subscription;
        this.partition = partition;
        this.sequences = new ParkedSequences(subscription);
    }

    /** Why an event is parked. */
    record Poison(Throwable error, int attempts) {
        Failure failure() {
            return new Failure(Parking.error(error), stack(error), attempts);
        }
    }

    /** An aggregate that is parked, as far as live events are concerned. */
    static final class Parked {
        /** The sequence of its last event that was applied; 0 if not known. */
        private long lastSequence;
        /** Whether it waits for numbers to come. */
        private boolean forMissing;

        Parked(long lastSequence, boolean forMissing) {
            this.lastSequence = lastSequence;
            this.forMissing = forMissing;
        }

        /** Whether it is this one that it waits for. */
        boolean waitsFor(Event<?> event) {
            return forMissing && event.sequence() != null && event.sequence() == lastSequence + 1;
        }
    }

    /** How many aggregates are parked, counted no further than {@code max}. */
    int aggregates(Connection connection, int max) throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement("SELECT count(*) FROM (SELECT FROM tributary.parked_aggregate"
                        + " WHERE subscription = ? AND topic = ? AND topic_partition = ? LIMIT ?) AS aggregates")) {
            setPartition(query, 1);
            query.setInt(4, max);
            try (ResultSet row = query.executeQuery()) {
                row.next();
                return row.getInt(1);
            }
        }
    }

    /** Those that waited for numbers which have come, so that their next event can be applied. */
    List<Aggregate> healed(Connection connection) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT source, aggregate_type, aggregate_id FROM tributary.parked_aggregate a"
                        + " WHERE subscription = ? AND topic = ? AND topic_partition = ? AND missing IS NOT NULL"
                        + " AND EXISTS (SELECT FROM tributary.parked_event e WHERE e.subscription = a.subscription"
                        + " AND e.source = a.source AND e.aggregate_type = a.aggregate_type"
                        + " AND e.aggregate_id = a.aggregate_id AND e.sequence = a.last_sequence + 1)")) {
            setPartition(query, 1);
            List<Aggregate> healed = new ArrayList<>();
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    healed.add(new Aggregate(row.getString(1), row.getString(2), row.getString(3)));
                }
            }
            return healed;
        }
    }

    /** What is missing between an aggregate's last event and this one, discarded ones apart; null if nothing is. */
    @Nullable
    Missing missing(Connection connection, Event<?> event, long last) throws SQLException {
        return sequences.missing(connection, Aggregate.of(event), last, Objects.requireNonNull(event.sequence()));
    }

    /** Which of these aggregates are parked. */
    Map<Aggregate, Parked> parked(Connection connection, List<Aggregate> candidates) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement("SELECT p.source, p.aggregate_type, p.aggregate_id,"
                + " coalesce(p.last_sequence, 0), p.missing IS NOT NULL FROM unnest(?, ?, ?) AS c (source, type, id)"
                + " JOIN tributary.parked_aggregate p ON p.subscription = ? AND p.source = c.source"
                + " AND p.aggregate_type = c.type AND p.aggregate_id = c.id")) {
            query.setArray(1, texts(connection, candidates.stream().map(Aggregate::source)));
            query.setArray(2, texts(connection, candidates.stream().map(Aggregate::type)));
            query.setArray(3, texts(connection, candidates.stream().map(Aggregate::id)));
            query.setString(4, subscription);
            Map<Aggregate, Parked> parked = new HashMap<>();
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    parked.put(
                            new Aggregate(row.getString(1), row.getString(2), row.getString(3)),
                            new Parked(row.getLong(4), row.getBoolean(5)));
                }
            }
            return parked;
        }
    }

    /**
     * Parks an aggregate with the first of its events that cannot be applied.
     *
     * @param lastSequence of the last one that was; 0 if not known
     * @param missing the numbers that it has to wait for; null if something else is wrong
     */
    Parked parkAggregate(
            Connection connection, Decoded first, Failure failure, long lastSequence, @Nullable Missing missing)
            throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO tributary.parked_aggregate"
                + " (subscription, topic, topic_partition, source, aggregate_type, aggregate_id, last_sequence, missing)"
                + " VALUES (?, ?, ?, ?, ?, ?, ?, ?::int8range)")) {
            setPartition(insert, 1);
            insert.setString(4, first.event().source());
            insert.setString(5, first.event().aggregateType());
            insert.setString(6, first.event().aggregateId());
            insert.setObject(7, lastSequence == 0 ? null : lastSequence, Types.BIGINT);
            insert.setString(8, range(missing));
            insert.executeUpdate();
        }
        park(connection, first, failure);
        return new Parked(lastSequence, missing != null);
    }

    /** What a parked aggregate has waited for has come and been applied. */
    void applied(Connection connection, Aggregate aggregate, Parked parked) throws SQLException {
        parked.lastSequence = sequences.lastSeen(connection, aggregate, parked.lastSequence + 1);
        sequences.reached(connection, aggregate, parked.lastSequence);
    }

    /** What a parked aggregate has waited for has come and cannot be applied: from now on it waits for people. */
    void parkAwaited(Connection connection, Decoded awaited, Failure failure, Parked parked) throws SQLException {
        parked.forMissing = false;
        park(connection, awaited, failure);
        sequences.waitsFor(connection, Aggregate.of(awaited.event()), null);
    }

    /**
     * Parks an event behind those of its aggregate that are parked already.
     *
     * @param failure what is wrong with it; null if it only waits for earlier ones
     */
    void park(Connection connection, Decoded incoming, @Nullable Failure failure) throws SQLException {
        Event<byte[]> event = incoming.event();
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO tributary.parked_event"
                + " (subscription, topic, topic_partition, source, aggregate_type, aggregate_id, event_id, type,"
                + " record_offset, record_time, position, sequence, record_key, record_value, headers, error, stack,"
                + " attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::json, ?, ?, ?)")) {
            setPartition(insert, 1);
            insert.setString(4, event.source());
            insert.setString(5, event.aggregateType());
            insert.setString(6, event.aggregateId());
            insert.setString(7, event.id());
            insert.setString(8, event.type());
            insert.setLong(9, event.offset());
            insert.setObject(10, utc(incoming.record().timestamp()));
            Position position = event.position();
            insert.setString(11, position == null ? null : position.toString());
            insert.setObject(12, event.sequence(), Types.BIGINT);
            insert.setBytes(13, incoming.record().key());
            insert.setBytes(14, incoming.record().value());
            insert.setString(15, json(incoming.record().headers()));
            insert.setString(16, failure == null ? null : failure.error());
            insert.setString(17, failure == null ? null : failure.stack());
            insert.setInt(18, failure == null ? 0 : failure.attempts());
            insert.executeUpdate();
        }
    }

    /** As a range of PostgreSQL's; null for nothing, since a range without bounds would be all numbers. */
    static @Nullable String range(@Nullable Missing missing) {
        return missing == null ? null : "[" + missing.first() + "," + missing.next() + ")";
    }

    private void setPartition(PreparedStatement statement, int first) throws SQLException {
        statement.setString(first, subscription);
        statement.setString(first + 1, partition.topic());
        statement.setInt(first + 2, partition.partition());
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

    /** As the column {@code error} has it. */
    static String error(Throwable error) {
        return storable(error.toString(), ERROR_CHARS_MAX);
    }

    /** As the column {@code stack} has it. */
    static String stack(Throwable error) {
        StringWriter text = new StringWriter();
        error.printStackTrace(new PrintWriter(text));
        return storable(text.toString(), STACK_CHARS_MAX);
    }

    /** PostgreSQL's text takes neither NUL nor half a surrogate pair, and messages may have either. */
    private static String storable(String text, int charsMax) {
        String cut = text.substring(0, Math.min(text.length(), charsMax)).replace('\0', '\uFFFD');
        return new String(cut.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    }
}
