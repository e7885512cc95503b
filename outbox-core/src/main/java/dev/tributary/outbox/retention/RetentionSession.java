package dev.tributary.outbox.retention;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The session that leads: in auto-commit mode, as the owner of {@code tributary.outbox}, so that what it makes belongs to
 * whom the rest belongs to. Used by one thread.
 */
final class RetentionSession implements AutoCloseable {
    /** What every slot that is there to stay has confirmed; null where there is none, the very beginning for one that has lost its WAL. */
    static final String CONFIRMED = "(SELECT CASE WHEN count(*) > 0 THEN min(CASE WHEN wal_status = 'lost' THEN '0/0'"
            + " ELSE coalesce(confirmed_flush_lsn, '0/0') END) END FROM pg_replication_slots"
            + " WHERE slot_type = 'logical' AND database = current_database()"
            + " AND NOT temporary AND starts_with(slot_name, 'tributary_'))";

    private static final String LOCK = "hashtext('tributary retention')";
    private static final String LOCK_NOT_AVAILABLE = "55P03";
    private static final String QUERY_CANCELED = "57014";
    private static final String DEADLOCK_DETECTED = "40P01";
    private static final Set<String> HELD_UP = Set.of(LOCK_NOT_AVAILABLE, QUERY_CANCELED, DEADLOCK_DETECTED);

    private final Connection connection;
    private final String clock;
    private final long pauseMillis;

    private RetentionSession(Connection connection, String clock, long pauseMillis) {
        this.connection = connection;
        this.clock = clock;
        this.pauseMillis = pauseMillis;
    }

    /** Null, with the connection closed, if another session leads. */
    static @Nullable RetentionSession lead(Connection connection, RetentionSettings settings, String clock)
            throws SQLException {
        boolean leads = false;
        try {
            connection.setAutoCommit(true);
            RetentionSession session =
                    new RetentionSession(connection, clock, settings.pauseMax().toMillis());
            leads = "t".equals(session.text("SELECT pg_try_advisory_lock(" + LOCK + ")"));
            if (!leads) {
                return null;
            }
            // A standby that is waited for must not keep locks from being released; bounds are read in one form
            session.execute("SET synchronous_commit = local; SET TimeZone = 'UTC'; SET DateStyle = 'ISO';"
                    // The owner's statements shall not meet what others have put into schema public
                    + " SET search_path = pg_catalog, pg_temp");
            session.execute(
                    session.text(
                            "SELECT format('SET ROLE %I', pg_get_userbyid(relowner)) FROM pg_class WHERE oid = 'tributary.outbox'::regclass"));
            return session;
        } catch (SQLException e) {
            leads = false;
            throw e;
        } finally {
            if (!leads) {
                connection.close();
            }
        }
    }

    /** SQL for the server's time. */
    String clock() {
        return clock;
    }

    void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /**
     * Runs one statement that takes locks writers may meet: all of it or nothing, and no longer than the pause. The server
     * ends it by itself, so that a caller that is frozen or cut off holds up nobody.
     *
     * @return whether it was done; otherwise somebody else's lock, or its own length, was in the way
     */
    boolean step(String plpgsql) throws SQLException {
        execute("SET statement_timeout = " + pauseMillis);
        try {
            execute("DO $tributary$ BEGIN " + plpgsql + " END $tributary$");
            return true;
        } catch (SQLException e) {
            if (HELD_UP.contains(e.getSQLState())) {
                return false;
            }
            throw e;
        } finally {
            if (connection.isValid(1)) {
                execute("SET statement_timeout = 0");
            }
        }
    }

    /** Makes a value of a row. */
    @FunctionalInterface
    interface RowMapper<T> {
        T map(ResultSet row) throws SQLException;
    }

    <T> List<T> list(String query, RowMapper<T> mapper) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            List<T> list = new ArrayList<>();
            while (rows.next()) {
                list.add(mapper.map(rows));
            }
            return list;
        }
    }

    <T> T one(String query, RowMapper<T> mapper) throws SQLException {
        return list(query, mapper).get(0);
    }

    /** The first column of the only row. */
    String text(String query) throws SQLException {
        return one(query, row -> String.valueOf(row.getString(1)));
    }

    /** As psql has it: also an interval, a literal for SQL. */
    static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    static String interval(java.time.Duration duration) {
        return "interval '" + duration + "'"; // both know ISO 8601; PostgreSQL 14 refuses large numbers of one unit
    }

    /** Leaves the session as it was: a pool may give it to others. */
    @Override
    public void close() throws SQLException {
        try (connection) {
            if (connection.isValid(1)) {
                execute(
                        "RESET ROLE; RESET statement_timeout; RESET synchronous_commit; RESET TimeZone; RESET DateStyle; RESET search_path;"
                                + " SELECT pg_advisory_unlock(" + LOCK + ")");
            }
        }
    }
}
