package dev.tributary.consumer;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** How far a subscription's parked aggregates are in their sequences, and what they wait for: {@code tributary.parked_aggregate}. */
final class ParkedSequences {
    private final String subscription;

    ParkedSequences(String subscription) {
        this.subscription = subscription;
    }

    /** The sequence of a parked aggregate's last event that was applied; 0 if not known. */
    long lastSequence(Connection connection, Aggregate aggregate) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT coalesce(last_sequence, 0) FROM tributary.parked_aggregate" + OfAggregate.WHERE)) {
            OfAggregate.set(query, 1, subscription, aggregate);
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
                + OfAggregate.WHERE + ") a, LATERAL (SELECT min(sequence) AS first FROM tributary.discarded_event e"
                + of
                + " AND e.parked_at >= a.parked_at) d,"
                + " LATERAL (SELECT min(sequence) AS first FROM tributary.parked_event e" + of + ") p")) {
            OfAggregate.set(query, 1, subscription, aggregate);
            try (ResultSet row = query.executeQuery()) {
                return row.next() ? row.getLong(1) : -1;
            }
        }
    }

    private List<Long> discarded(Connection connection, Aggregate aggregate, long after, long before)
            throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement("SELECT DISTINCT sequence FROM tributary.discarded_event"
                        + OfAggregate.WHERE + " AND sequence > ? AND sequence < ? ORDER BY sequence")) {
            OfAggregate.set(query, 1, subscription, aggregate);
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
                + OfAggregate.WHERE + " AND NOT EXISTS (SELECT FROM tributary.parked_event e"
                + " WHERE e.subscription = a.subscription AND e.source = a.source"
                + " AND e.aggregate_type = a.aggregate_type AND e.aggregate_id = a.aggregate_id)"
                + " RETURNING topic, topic_partition")) {
            OfAggregate.set(free, 1, subscription, aggregate);
            try (ResultSet row = free.executeQuery()) {
                if (row.next()) {
                    tell(connection, new TopicPartition(row.getString(1), row.getInt(2)), aggregate, last);
                    return true;
                }
            }
        }
        reached(connection, aggregate, last);
        return false;
    }

    /** The partition's owner takes over what is known of the aggregate. */
    private void tell(Connection connection, TopicPartition partition, Aggregate aggregate, long last)
            throws SQLException {
        if (last > 0) {
            PartitionSequences.tell(connection, subscription, partition, aggregate, last);
        }
    }

    /** The last one applied, or that need not come; 0 if not known. */
    void reached(Connection connection, Aggregate aggregate, long last) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE tributary.parked_aggregate SET last_sequence = nullif(?, 0)" + OfAggregate.WHERE)) {
            update.setLong(1, last);
            OfAggregate.set(update, 2, subscription, aggregate);
            update.executeUpdate();
        }
    }

    /** @param missing the numbers that an aggregate waits for; null if it waits for people */
    void waitsFor(Connection connection, Aggregate aggregate, @Nullable Missing missing) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE tributary.parked_aggregate SET missing = ?::int8range" + OfAggregate.WHERE)) {
            update.setString(1, Parking.range(missing));
            OfAggregate.set(update, 2, subscription, aggregate);
            update.executeUpdate();
        }
    }

    void acceptGap(Connection connection, Aggregate aggregate, Missing missing, String reason, String who)
            throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO tributary.accepted_gap"
                + " (subscription, source, aggregate_type, aggregate_id, missing, reason, accepted_by)"
                + " VALUES (?, ?, ?, ?, ?::int8range, ?, ?)")) {
            OfAggregate.set(insert, 1, subscription, aggregate);
            insert.setString(5, Parking.range(missing));
            insert.setString(6, reason);
            insert.setString(7, who);
            insert.executeUpdate();
        }
        reached(connection, aggregate, missing.next() - 1);
        waitsFor(connection, aggregate, null);
    }
}
