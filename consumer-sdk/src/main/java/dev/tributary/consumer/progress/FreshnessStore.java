package dev.tributary.consumer.progress;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The minutes of {@code tributary.view_freshness} of one subscription. Instances of it may record the same minutes, in any
 * order, and the same twice.
 */
final class FreshnessStore {
    private static final long MINUTES_OF_HOUR = 60;

    private final String subscription;

    FreshnessStore(String subscription) {
        this.subscription = subscription;
    }

    /** Adds what one instance has seen. */
    void record(Connection connection, String source, Map<Long, Long> goodSeconds) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO tributary.view_freshness AS f"
                + " (subscription, source, minute, good_seconds) VALUES (?, ?, ?, ?)"
                + " ON CONFLICT (subscription, source, minute) DO UPDATE"
                + " SET good_seconds = f.good_seconds | EXCLUDED.good_seconds")) {
            for (Map.Entry<Long, Long> minute : goodSeconds.entrySet()) {
                setSource(insert, source);
                insert.setObject(3, time(minute.getKey()));
                insert.setLong(4, minute.getValue());
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    /** Removes what no window reaches back to any more. */
    void prune(Connection connection, String source, long firstMinute) throws SQLException {
        try (PreparedStatement delete = connection.prepareStatement(
                "DELETE FROM tributary.view_freshness WHERE subscription = ? AND source = ? AND minute < ?")) {
            setSource(delete, source);
            delete.setObject(3, time(firstMinute));
            delete.executeUpdate();
        }
    }

    /**
     * Reckons up the window that ends before {@code endMinute}; null if nothing is recorded in it. The minute in which recording
     * began was not seen whole, and does not count.
     */
    @Nullable
    ErrorBudget budget(Connection connection, String source, FreshnessObjective objective, long endMinute)
            throws SQLException {
        Long first = firstMinute(connection, source);
        if (first == null || first + 1 >= endMinute) {
            return null;
        }
        long begin = Math.max(first + 1, endMinute - objective.window().toMinutes());
        long hour = Math.max(begin, endMinute - MINUTES_OF_HOUR);
        long sixHours = Math.max(begin, endMinute - 6 * MINUTES_OF_HOUR);
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT count(*), count(*) FILTER (WHERE minute >= ?),"
                        + " count(*) FILTER (WHERE minute >= ?) FROM tributary.view_freshness"
                        + " WHERE subscription = ? AND source = ? AND minute >= ? AND minute < ? AND good_seconds = ?")) {
            query.setObject(1, time(hour));
            query.setObject(2, time(sixHours));
            query.setString(3, subscription);
            query.setString(4, source);
            query.setObject(5, time(begin));
            query.setObject(6, time(endMinute));
            query.setLong(7, GoodSeconds.ALL);
            try (ResultSet good = query.executeQuery()) {
                good.next();
                return new ErrorBudget(
                        objective,
                        endMinute - begin,
                        endMinute - begin - good.getLong(1),
                        burnRate(objective, endMinute - hour, good.getLong(2)),
                        burnRate(objective, endMinute - sixHours, good.getLong(3)));
            }
        }
    }

    private static double burnRate(FreshnessObjective objective, long minutes, long good) {
        return (double) (minutes - good) / minutes / (1 - objective.share());
    }

    private @Nullable Long firstMinute(Connection connection, String source) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT min(minute) FROM tributary.view_freshness WHERE subscription = ? AND source = ?")) {
            setSource(query, source);
            try (ResultSet row = query.executeQuery()) {
                row.next();
                OffsetDateTime first = row.getObject(1, OffsetDateTime.class);
                return first == null ? null : first.toEpochSecond() / GoodSeconds.SECONDS_OF_MINUTE;
            }
        }
    }

    private void setSource(PreparedStatement statement, String source) throws SQLException {
        statement.setString(1, subscription);
        statement.setString(2, source);
    }

    private static OffsetDateTime time(long minute) {
        return Instant.ofEpochSecond(minute * GoodSeconds.SECONDS_OF_MINUTE).atOffset(ZoneOffset.UTC);
    }
}
