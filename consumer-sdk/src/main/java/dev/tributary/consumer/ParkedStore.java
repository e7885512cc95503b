package dev.tributary.consumer;

import dev.tributary.consumer.ParkedEvent.Failure;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** A subscription's {@code tributary.parked_event}, of all partitions, for people and for what they have done to it. */
final class ParkedStore {
    private static final String WRONG = "error IS NOT NULL";
    private static final String SELECT_EVENTS = "SELECT " + ParkedRows.COLUMNS + " FROM tributary.parked_event";

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
                return new ParkedCounts(row.getLong(1), row.getLong(3), ParkedRows.instant(row, 2));
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
                            ParkedRows.aggregate(row, 1),
                            row.getLong(4),
                            Objects.requireNonNull(ParkedRows.instant(row, 5)),
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
                    names.add(ParkedRows.aggregate(row, 1));
                }
            }
            return names;
        }
    }

    /** An aggregate's parked events behind a number, in their order. */
    List<ParkedEvent> events(Connection connection, Aggregate aggregate, long after, int max) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                SELECT_EVENTS + OfAggregate.WHERE + " AND park_order > ? ORDER BY park_order LIMIT ?")) {
            OfAggregate.set(query, 1, subscription, aggregate);
            query.setLong(5, after);
            query.setInt(6, max);
            return ParkedRows.read(query);
        }
    }

    /** Those that come after a number in the aggregate's sequence, in that order. */
    List<ParkedEvent> eventsBySequence(Connection connection, Aggregate aggregate, long last, int max)
            throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                SELECT_EVENTS + OfAggregate.WHERE + " AND sequence > ? ORDER BY sequence, park_order LIMIT ?")) {
            OfAggregate.set(query, 1, subscription, aggregate);
            query.setLong(5, last);
            query.setInt(6, max);
            return ParkedRows.read(query);
        }
    }

    Optional<ParkedEvent> event(Connection connection, long number) throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement(SELECT_EVENTS + " WHERE subscription = ? AND park_order = ?")) {
            query.setString(1, subscription);
            query.setLong(2, number);
            return ParkedRows.read(query).stream().findFirst();
        }
    }

    /** The partition that a parked aggregate's events come from; empty if it is not parked. */
    Optional<TopicPartition> partition(Connection connection, Aggregate aggregate) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT topic, topic_partition FROM tributary.parked_aggregate" + OfAggregate.WHERE)) {
            OfAggregate.set(query, 1, subscription, aggregate);
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

    /** Some of these partitions' events, discarded ones too, that the dead-letter topic does not have yet. */
    List<ParkedEvent> unmirrored(Connection connection, List<TopicPartition> partitions, int max) throws SQLException {
        String unmirrored = " WHERE subscription = ? AND mirrored_at IS NULL"
                + " AND (topic, topic_partition) IN (SELECT * FROM unnest(?::text[], ?::integer[]))";
        try (PreparedStatement query = connection.prepareStatement("SELECT " + ParkedRows.COLUMNS
                + " FROM tributary.parked_event" + unmirrored + " UNION ALL SELECT " + ParkedRows.COLUMNS
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
            return ParkedRows.read(query);
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
                "SELECT park_order FROM tributary.parked_event" + OfAggregate.WHERE + " ORDER BY park_order")) {
            OfAggregate.set(query, 1, subscription, aggregate);
            List<Long> numbers = new ArrayList<>();
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    numbers.add(row.getLong(1));
                }
            }
            return numbers;
        }
    }
}
