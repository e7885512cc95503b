package dev.tributary.consumer.view;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** One view's rows in {@code tributary.view_version}, in the caller's transactions. */
final class VersionStore {
    private final String view;

    VersionStore(String view) {
        this.view = view;
    }

    /** By version. */
    SortedMap<Integer, VersionRow> read(Connection connection) throws SQLException {
        return read(connection, "");
    }

    /** So that nobody else changes one, or begins to feed it, until the transaction ends. */
    SortedMap<Integer, VersionRow> lock(Connection connection) throws SQLException {
        Transactions.lockName(connection, view);
        return read(connection, " FOR UPDATE");
    }

    private SortedMap<Integer, VersionRow> read(Connection connection, String lock) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT version, state, subscription, schema_name, topics, fingerprint, paused,"
                        + " caught_up_at, live_at FROM tributary.view_version WHERE view = ? ORDER BY version"
                        + lock)) {
            query.setString(1, view);
            SortedMap<Integer, VersionRow> versions = new TreeMap<>();
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    versions.put(row.getInt(1), row(row));
                }
            }
            return versions;
        }
    }

    private static VersionRow row(ResultSet row) throws SQLException {
        return new VersionRow(
                row.getInt(1),
                VersionState.valueOf(row.getString(2)),
                row.getString(3),
                row.getString(4),
                Set.of((String[]) row.getArray(5).getArray()),
                row.getString(6),
                row.getBoolean(7),
                instant(row.getTimestamp(8)),
                instant(row.getTimestamp(9)));
    }

    private static @Nullable Instant instant(@Nullable Timestamp timestamp) {
        return timestamp == null ? null : timestamp.toInstant();
    }

    /** The live one among them. */
    static Optional<VersionRow> live(Map<Integer, VersionRow> versions) {
        return versions.values().stream()
                .filter(each -> each.state() == VersionState.LIVE)
                .findAny();
    }

    /** The row of a version that has none, or is gone. */
    void insert(
            Connection connection,
            ViewVersion version,
            VersionState state,
            String subscription,
            String schema,
            Collection<String> topics)
            throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO tributary.view_version"
                + " (view, version, state, subscription, schema_name, topics, fingerprint, caught_up_at, live_at)"
                + " VALUES (?, ?, ?, ?, ?, ?, ?, CASE WHEN ? THEN now() END, CASE WHEN ? THEN now() END)"
                + " ON CONFLICT (view, version) DO UPDATE SET state = EXCLUDED.state, topics = EXCLUDED.topics,"
                + " fingerprint = EXCLUDED.fingerprint, paused = false, created_at = now(), caught_up_at = NULL,"
                + " live_at = NULL, ended_at = NULL")) {
            setKey(insert, 1, version.number());
            insert.setString(3, state.name());
            insert.setString(4, subscription);
            insert.setString(5, schema);
            insert.setArray(6, connection.createArrayOf("text", topics.toArray()));
            insert.setString(7, version.fingerprint());
            insert.setBoolean(8, state == VersionState.LIVE);
            insert.setBoolean(9, state == VersionState.LIVE);
            insert.executeUpdate();
        }
    }

    void become(Connection connection, int version, VersionState state) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement("UPDATE tributary.view_version SET state = ?,"
                + " live_at = CASE WHEN ? THEN now() ELSE live_at END, ended_at = CASE WHEN ? THEN now() END"
                + " WHERE view = ? AND version = ?")) {
            update.setString(1, state.name());
            update.setBoolean(2, state == VersionState.LIVE);
            update.setBoolean(3, !state.isFed());
            setKey(update, 4, version);
            update.executeUpdate();
        }
    }

    void pause(Connection connection, int version, boolean paused) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE tributary.view_version SET paused = ? WHERE view = ? AND version = ?")) {
            update.setBoolean(1, paused);
            setKey(update, 2, version);
            update.executeUpdate();
        }
    }

    /** Keeps in mind since when it has been caught up, or that it is not. */
    void caughtUp(Connection connection, int version, boolean caughtUp) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement("UPDATE tributary.view_version SET caught_up_at ="
                + " CASE WHEN ? THEN coalesce(caught_up_at, clock_timestamp()) END WHERE view = ? AND version = ?"
                + " AND (caught_up_at IS NOT NULL) <> ?")) {
            update.setBoolean(1, caughtUp);
            setKey(update, 2, version);
            update.setBoolean(4, caughtUp);
            update.executeUpdate();
        }
    }

    void reads(Connection connection, int version, Collection<String> topics) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE tributary.view_version SET topics = ? WHERE view = ? AND version = ?")) {
            update.setArray(1, connection.createArrayOf("text", topics.toArray()));
            setKey(update, 2, version);
            update.executeUpdate();
        }
    }

    /**
     * Whether a version has tables to be fed, which it keeps until the transaction ends: soon, even if its instance
     * freezes.
     */
    boolean isFed(Connection connection, int version) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT state, set_config('idle_in_transaction_session_timeout', '3s', true)"
                        + " FROM tributary.view_version WHERE view = ? AND version = ? FOR SHARE")) {
            setKey(query, 1, version);
            try (ResultSet row = query.executeQuery()) {
                return row.next() && VersionState.valueOf(row.getString(1)).isFed();
            }
        }
    }

    private void setKey(PreparedStatement statement, int first, int version) throws SQLException {
        statement.setString(first, view);
        statement.setInt(first + 1, version);
    }
}
