package dev.tributary.consumer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tributary.consumer.ParkedEvent.Failure;
import java.nio.charset.StandardCharsets;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/** A subscription's {@code tributary.parked_event}, of all partitions, for people and for what they have done to it. */
final class ParkedStore {
    private static final JsonMapper JSON = new JsonMapper();
    private static final String OF_AGGREGATE =
            " WHERE subscription = ? AND source = ? AND aggregate_type = ? AND aggregate_id = ?";
    private static final String WRONG = "error IS NOT NULL";
    private static final String EVENT =
            "park_order, source, aggregate_type, aggregate_id, event_id, type, sequence, position, topic,"
                    + " topic_partition, record_offset, record_time, record_key, record_value, headers, error, stack,"
                    + " attempts, parked_at";
    private static final String SELECT_EVENTS = "SELECT " + EVENT + " FROM tributary.parked_event";

    private final String subscription;

    ParkedStore(String subscription) {
        this.subscription = subscription;
    }

    ParkedCounts count(Connection connection) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement("SELECT count(*), min(parked_at),"
                + " (SELECT count(*) FROM tributary.parked_event WHERE subscription = ?)"
                + " FROM tributary.parked_aggregate WHERE subscription = ?")) {
            query.setString(1, subscription);
            query.setString(2, subscription);
            try (ResultSet row = query.executeQuery()) {
                row.next();
                return new ParkedCounts(row.getLong(1), row.getLong(3), instant(row, 2));
            }
        }
    }

    /** Those parked first come first. */
    List<ParkedAggregate> aggregates(Connection connection, int max) throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement("SELECT source, aggregate_type, aggregate_id, count(*), min(parked_at),"
                        + " (array_agg(type ORDER BY park_order) FILTER (WHERE " + WRONG + "))[1],"
                        + " (array_agg(error ORDER BY park_order) FILTER (WHERE " + WRONG + "))[1],"
                        + " coalesce((array_agg(attempts ORDER BY park_order) FILTER (WHERE " + WRONG + "))[1], 0)"
                        + " FROM tributary.parked_event WHERE subscription = ?"
                        + " GROUP BY source, aggregate_type, aggregate_id ORDER BY min(park_order) LIMIT ?")) {
            query.setString(1, subscription);
            query.setInt(2, max);
            List<ParkedAggregate> aggregates = new ArrayList<>();
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    aggregates.add(new ParkedAggregate(
                            aggregate(row, 1),
                            row.getLong(4),
                            Objects.requireNonNull(instant(row, 5)),
                            row.getString(6),
                            row.getString(7),
                            row.getInt(8)));
                }
            }
            return aggregates;
        }
    }

    /**
     * All parked aggregates, those parked first first.
     *
     * @param failedType only those in which something is wrong with an event of this type; null for all
     */
    List<Aggregate> names(Connection connection, @Nullable String failedType) throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement("SELECT source, aggregate_type, aggregate_id FROM tributary.parked_event"
                        + " WHERE subscription = ? GROUP BY source, aggregate_type, aggregate_id"
                        + " HAVING ?::text IS NULL OR bool_or(type = ? AND " + WRONG + ") ORDER BY min(park_order)")) {
            query.setString(1, subscription);
            query.setString(2, failedType);
            query.setString(3, failedType);
            List<Aggregate> names = new ArrayList<>();
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    names.add(aggregate(row, 1));
                }
            }
            return names;
        }
    }

    /** An aggregate's parked events behind a number, in their order. */
    List<ParkedEvent> events(Connection connection, Aggregate aggregate, long after, int max) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                SELECT_EVENTS + OF_AGGREGATE + " AND park_order > ? ORDER BY park_order LIMIT ?")) {
            setAggregate(query, aggregate);
            query.setLong(5, after);
            query.setInt(6, max);
            return read(query);
        }
    }

    /** Those that come after a number in the aggregate's sequence, in that order. */
    List<ParkedEvent> eventsBySequence(Connection connection, Aggregate aggregate, long last, int max)
            throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                SELECT_EVENTS + OF_AGGREGATE + " AND sequence > ? ORDER BY sequence, park_order LIMIT ?")) {
            setAggregate(query, aggregate);
            query.setLong(5, last);
            query.setInt(6, max);
            return read(query);
        }
    }

    Optional<ParkedEvent> event(Connection connection, long number) throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement(SELECT_EVENTS + " WHERE subscription = ? AND park_order = ?")) {
            query.setString(1, subscription);
            query.setLong(2, number);
            return read(query).stream().findFirst();
        }
    }

    /** The partition that a parked aggregate's events come from; empty if it is not parked. */
    Optional<TopicPartition> partition(Connection connection, Aggregate aggregate) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT topic, topic_partition FROM tributary.parked_aggregate" + OF_AGGREGATE)) {
            setAggregate(query, aggregate);
            try (ResultSet row = query.executeQuery()) {
                return row.next() ? Optional.of(new TopicPartition(row.getString(1), row.getInt(2))) : Optional.empty();
            }
        }
    }

    /** False if not all of them were there any more. */
    boolean delete(Connection connection, List<ParkedEvent> events) throws SQLException {
        try (PreparedStatement delete = connection.prepareStatement(
                "DELETE FROM tributary.parked_event WHERE subscription = ? AND park_order = ANY(?)")) {
            delete.setString(1, subscription);
            Object[] numbers = events.stream().map(ParkedEvent::number).toArray();
            delete.setArray(2, connection.createArrayOf("bigint", numbers));
            return delete.executeUpdate() == events.size();
        }
    }

    /** Remembers what is wrong with an event now, which stays where it is. */
    void failed(Connection connection, long number, Failure failure) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement("UPDATE tributary.parked_event"
                + " SET error = ?, stack = ?, attempts = attempts + ? WHERE subscription = ? AND park_order = ?")) {
            update.setString(1, failure.error());
            update.setString(2, failure.stack());
            update.setInt(3, failure.attempts());
            update.setString(4, subscription);
            update.setLong(5, number);
            update.executeUpdate();
        }
    }

    /** Moves events to {@code tributary.discarded_event}; returns how many there were. */
    int discard(Connection connection, List<Long> numbers, String reason, String who) throws SQLException {
        String columns = "park_order, subscription, source, aggregate_type, aggregate_id, event_id, type, topic,"
                + " topic_partition, record_offset, record_time, position, sequence, record_key, record_value, headers,"
                + " error, stack, attempts, parked_at, mirrored_at";
        try (PreparedStatement move = connection.prepareStatement("WITH gone AS (DELETE FROM tributary.parked_event"
                + " WHERE subscription = ? AND park_order = ANY(?) RETURNING *)"
                + " INSERT INTO tributary.discarded_event (" + columns + ", reason, discarded_by)"
                + " SELECT " + columns + ", ?, ? FROM gone")) {
            move.setString(1, subscription);
            move.setArray(2, connection.createArrayOf("bigint", numbers.toArray()));
            move.setString(3, reason);
            move.setString(4, who);
            return move.executeUpdate();
        }
    }

    /** The sequence of a parked aggregate's last event that was applied; 0 if not known. */
    long lastSequence(Connection connection, Aggregate aggregate) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT coalesce(last_sequence, 0) FROM tributary.parked_aggregate" + OF_AGGREGATE)) {
            setAggregate(query, aggregate);
            try (ResultSet row = query.executeQuery()) {
                return row.next() ? row.getLong(1) : 0;
            }
        }
    }

    /** What an aggregate at {@code last} has to wait for before {@code next}; null if for nothing. */
    @Nullable
    Missing missing(Connection connection, Aggregate aggregate, long last, long next) throws SQLException {
        return next <= last + 1 ? null : Missing.between(last, next, discarded(connection, aggregate, last, next));
    }

    /**
     * The last number of a parked aggregate that need not come any more, once the last one applied is {@code last}: those
     * that follow and are discarded are behind it, and so are, where nothing was applied, those that it begins with.
     *
     * @param last 0 if not known
     * @return 0 if not known
     */
    long lastSeen(Connection connection, Aggregate aggregate, long last) throws SQLException {
        long seen = last == 0 ? beforeFirstDiscarded(connection, aggregate) : last;
        if (seen < 0) {
            return 0;
        }
        for (long discarded : discarded(connection, aggregate, seen, Long.MAX_VALUE)) {
            if (discarded == seen + 1) {
                seen++;
            }
        }
        return seen;
    }

    /** -1 if the first event since the aggregate was parked is not discarded. */
    private long beforeFirstDiscarded(Connection connection, Aggregate aggregate) throws SQLException {
        String of = " WHERE (e.subscription, e.source, e.aggregate_type, e.aggregate_id)"
                + " = (a.subscription, a.source, a.aggregate_type, a.aggregate_id) AND e.position IS NOT NULL";
        try (PreparedStatement query = connection.prepareStatement("SELECT CASE WHEN d.first < coalesce(p.first, "
                + Long.MAX_VALUE + ") THEN d.first - 1 ELSE -1 END FROM (SELECT * FROM tributary.parked_aggregate"
                + OF_AGGREGATE + ") a, LATERAL (SELECT min(sequence) AS first FROM tributary.discarded_event e" + of
                + " AND e.parked_at >= a.parked_at) d,"
                + " LATERAL (SELECT min(sequence) AS first FROM tributary.parked_event e" + of + ") p")) {
            setAggregate(query, aggregate);
            try (ResultSet row = query.executeQuery()) {
                return row.next() ? row.getLong(1) : -1;
            }
        }
    }

    private List<Long> discarded(Connection connection, Aggregate aggregate, long after, long before)
            throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement("SELECT DISTINCT sequence FROM tributary.discarded_event" + OF_AGGREGATE
                        + " AND sequence > ? AND sequence < ? ORDER BY sequence")) {
            setAggregate(query, aggregate);
            query.setLong(5, after);
            query.setLong(6, before);
            List<Long> discarded = new ArrayList<>();
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    discarded.add(row.getLong(1));
                }
            }
            return discarded;
        }
    }

    /** Remembers how far a parked aggregate has been applied; ends its parking if it has no event left: true then. */
    boolean applied(Connection connection, Aggregate aggregate, long last) throws SQLException {
        try (PreparedStatement free = connection.prepareStatement("DELETE FROM tributary.parked_aggregate a"
                + OF_AGGREGATE + " AND NOT EXISTS (SELECT FROM tributary.parked_event e"
                + " WHERE e.subscription = a.subscription AND e.source = a.source"
                + " AND e.aggregate_type = a.aggregate_type AND e.aggregate_id = a.aggregate_id)"
                + " RETURNING topic, topic_partition")) {
            setAggregate(free, aggregate);
            try (ResultSet row = free.executeQuery()) {
                if (row.next()) {
                    tell(connection, new TopicPartition(row.getString(1), row.getInt(2)), aggregate, last);
                    return true;
                }
            }
        }
        setLastSequence(connection, aggregate, last);
        return false;
    }

    /** The partition's owner takes over what is known of the aggregate. */
    private void tell(Connection connection, TopicPartition partition, Aggregate aggregate, long last)
            throws SQLException {
        if (last > 0) {
            PartitionSequences.tell(connection, subscription, partition, aggregate, last);
        }
    }

    private void setLastSequence(Connection connection, Aggregate aggregate, long last) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE tributary.parked_aggregate SET last_sequence = nullif(?, 0)" + OF_AGGREGATE)) {
            update.setLong(1, last);
            setAggregate(update, aggregate, 2);
            update.executeUpdate();
        }
    }

    /** @param missing the numbers that an aggregate waits for; null if it waits for people */
    void waitsFor(Connection connection, Aggregate aggregate, @Nullable Missing missing) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE tributary.parked_aggregate SET missing = ?::int8range" + OF_AGGREGATE)) {
            update.setString(1, Parking.range(missing));
            setAggregate(update, aggregate, 2);
            update.executeUpdate();
        }
    }

    void acceptGap(Connection connection, Aggregate aggregate, Missing missing, String reason, String who)
            throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO tributary.accepted_gap"
                + " (subscription, source, aggregate_type, aggregate_id, missing, reason, accepted_by)"
                + " VALUES (?, ?, ?, ?, ?::int8range, ?, ?)")) {
            setAggregate(insert, aggregate);
            insert.setString(5, Parking.range(missing));
            insert.setString(6, reason);
            insert.setString(7, who);
            insert.executeUpdate();
        }
        setLastSequence(connection, aggregate, missing.next() - 1);
        waitsFor(connection, aggregate, null);
    }

    /** Some of these partitions' events, discarded ones too, that the dead-letter topic does not have yet. */
    List<ParkedEvent> unmirrored(Connection connection, List<TopicPartition> partitions, int max) throws SQLException {
        String unmirrored = " WHERE subscription = ? AND mirrored_at IS NULL"
                + " AND (topic, topic_partition) IN (SELECT * FROM unnest(?::text[], ?::integer[]))";
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT " + EVENT + " FROM tributary.parked_event" + unmirrored + " UNION ALL SELECT " + EVENT
                        + " FROM tributary.discarded_event" + unmirrored + " ORDER BY park_order LIMIT ?")) {
            Array topics = connection.createArrayOf(
                    "text", partitions.stream().map(TopicPartition::topic).toArray());
            Array numbers = connection.createArrayOf(
                    "integer",
                    partitions.stream().map(TopicPartition::partition).toArray());
            for (int part = 0; part < 2; part++) {
                query.setString(3 * part + 1, subscription);
                query.setArray(3 * part + 2, topics);
                query.setArray(3 * part + 3, numbers);
            }
            query.setInt(7, max);
            return read(query);
        }
    }

    /** @param at a SQL expression for when */
    void mirrored(Connection connection, List<Long> numbers, String at) throws SQLException {
        if (numbers.isEmpty()) {
            return;
        }
        for (String table : List.of("parked_event", "discarded_event")) {
            try (PreparedStatement update = connection.prepareStatement("UPDATE tributary." + table
                    + " SET mirrored_at = " + at + " WHERE subscription = ? AND park_order = ANY(?)")) {
                update.setString(1, subscription);
                update.setArray(2, connection.createArrayOf("bigint", numbers.toArray()));
                update.executeUpdate();
            }
        }
    }

    /** The numbers of an aggregate's parked events, in their order. */
    List<Long> numbers(Connection connection, Aggregate aggregate) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT park_order FROM tributary.parked_event" + OF_AGGREGATE + " ORDER BY park_order")) {
            setAggregate(query, aggregate);
            List<Long> numbers = new ArrayList<>();
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    numbers.add(row.getLong(1));
                }
            }
            return numbers;
        }
    }

    private void setAggregate(PreparedStatement statement, Aggregate aggregate) throws SQLException {
        setAggregate(statement, aggregate, 1);
    }

    private void setAggregate(PreparedStatement statement, Aggregate aggregate, int first) throws SQLException {
        statement.setString(first, subscription);
        statement.setString(first + 1, aggregate.source());
        statement.setString(first + 2, aggregate.type());
        statement.setString(first + 3, aggregate.id());
    }

    private static List<ParkedEvent> read(PreparedStatement query) throws SQLException {
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

    private static Aggregate aggregate(ResultSet row, int first) throws SQLException {
        return new Aggregate(row.getString(first), row.getString(first + 1), row.getString(first + 2));
    }

    private static @Nullable Instant instant(ResultSet row, int column) throws SQLException {
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
