package dev.tributary.relay.source;

import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import org.postgresql.replication.LogSequenceNumber;

/** What has become, since a moment, of the rows that there were then. Asked now, whatever an older snapshot sees. */
public final class RowsSince {
    private final SourceConfig source;

    /** Opens nothing yet. */
    public RowsSince(SourceConfig source) {
        this.source = source;
    }

    /**
     * Events that were there and had not been relayed in that place: they are set aside, or were and have been released
     * since, by which they got a later one. To be asked when the relay has come past the moment.
     */
    public Set<UUID> setAside(HistorySnapshot moment) throws SQLException {
        Set<UUID> ids = new HashSet<>();
        try (Connection now = PostgresDatabase.open(source, "replay-dead-letters")) {
            if (isMissing(now, "tributary.dead_letter")) {
                return ids;
            }
            long next = Long.parseUnsignedLong(text(now, "SELECT pg_snapshot_xmax(pg_current_snapshot())"));
            String releasedLater = moment.isLaterSql(next).replace("occurred_at", "released_at");
            try (Statement statement = now.createStatement();
                    ResultSet row = statement.executeQuery("SELECT id FROM tributary.dead_letter WHERE source = '"
                            + source.name() + "' AND (released_at IS NULL OR " + releasedLater + ")")) {
                while (row.next()) {
                    ids.add(row.getObject(1, UUID.class));
                }
            }
        }
        return ids;
    }

    /**
     * Whether retention has dropped any that committed at an LSN or behind it; to be asked when those that are left are kept.
     *
     * @throws SQLException also if the role may not know
     */
    public boolean droppedBehind(long lsn) throws SQLException {
        try (Connection now = PostgresDatabase.open(source, "replay-dropped")) {
            return !isMissing(now, "tributary.outbox_dropped")
                    && text(
                                    now,
                                    "SELECT EXISTS (SELECT FROM tributary.outbox_dropped WHERE lsn > '"
                                            + LogSequenceNumber.valueOf(lsn).asString() + "')")
                            .equals("t");
        }
    }

    /**
     * By aggregate type, how many events that had a sequence are in no table any more, whenever they were removed.
     *
     * @param aggregateTypes of these; empty for all
     */
    public Map<String, Long> gone(Set<String> aggregateTypes) throws SQLException {
        Map<String, Long> gone = new TreeMap<>();
        try (Connection now = PatientConnection.open(source, "replay-gone")) {
            String released = isMissing(now, "tributary.dead_letter")
                    ? "false"
                    : "id IN (SELECT id FROM tributary.dead_letter WHERE released_at IS NOT NULL)";
            try (Statement statement = now.createStatement();
                    ResultSet row = statement.executeQuery(goneSql(isOf(aggregateTypes), released))) {
                while (row.next()) {
                    gone.put(row.getString(1), row.getLong(2));
                }
            }
        }
        return gone;
    }

    private static String goneSql(String isOfTypes, String isReleased) {
        String rows = " FROM (SELECT id, aggregate_type, sequence FROM tributary.event_store"
                + " UNION ALL SELECT id, aggregate_type, sequence FROM tributary.outbox) e WHERE " + isOfTypes;
        return "SELECT aggregate_type, heads.events - coalesce(rows.events, 0) + coalesce(again.events, 0)"
                + " FROM (SELECT aggregate_type, sum(sequence) AS events FROM tributary.aggregate WHERE " + isOfTypes
                + " GROUP BY 1) heads LEFT JOIN (SELECT aggregate_type, count(sequence) AS events" + rows
                + " GROUP BY 1) rows USING (aggregate_type)"
                // What was set aside and released may be there twice
                + " LEFT JOIN (SELECT aggregate_type, count(*) - count(DISTINCT id) AS events" + rows + " AND "
                + isReleased
                + " AND sequence IS NOT NULL GROUP BY 1) again USING (aggregate_type)"
                + " WHERE heads.events > coalesce(rows.events, 0) - coalesce(again.events, 0)";
    }

    private static String isOf(Set<String> aggregateTypes) {
        return aggregateTypes.isEmpty()
                ? "true"
                : aggregateTypes.stream()
                        .map(HistoryRows::literal)
                        .collect(Collectors.joining(", ", "aggregate_type IN (", ")"));
    }

    private static boolean isMissing(Connection connection, String table) throws SQLException {
        return text(connection, "SELECT to_regclass('" + table + "') IS NULL").equals("t");
    }

    private static String text(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return String.valueOf(row.getString(1));
        }
    }
}
