package dev.tributary.consumer.view;

import dev.tributary.consumer.SubscriptionException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.SortedMap;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Makes another version live, in one transaction: holds the live one where it is, waits until the other one is as far,
 * has the readers' names lead there. Gives up at once where readers would have to wait, and can be tried again.
 */
final class Switch {
    /** How long the live version may stand still; less than a new owner of its partitions waits before it cuts in. */
    private static final Duration HOLD_MAX = Duration.ofMillis(800);

    private static final Duration LOOK_EVERY = Duration.ofMillis(5);
    private static final String LOCK_MAX_FOR_FEEDERS = "800ms";
    /** How long readers may be held up by an attempt; before PostgreSQL looks for deadlocks, which would hit them. */
    private static final String LOCK_MAX_FOR_READERS = "50ms";

    private static final String LOCK_NOT_AVAILABLE = "55P03";
    private static final String DEPENDENT_OBJECTS = "2BP01";

    private final DataSource dataSource;
    private final String view;
    private final VersionStore versions;

    Switch(DataSource dataSource, String view, VersionStore versions) {
        this.dataSource = dataSource;
        this.view = view;
        this.versions = versions;
    }

    /** Why it cannot be done now; rolls the transaction back. */
    static final class NotNow extends RuntimeException {
        private static final long serialVersionUID = 1;

        NotNow(String reason) {
            super(reason);
        }
    }

    /**
     * Tries once.
     *
     * @param evenWithParked whether readers may come to lack what that version has parked
     * @param ends Kafka's ends of partitions, as far as they are known, for topics that the live version does not read
     * @return null if it is done, or was already; else why not yet
     * @throws SubscriptionException if that version cannot become live at all
     */
    @Nullable
    String attempt(int version, boolean evenWithParked, Map<TopicPartition, Long> ends) throws SQLException {
        try {
            Transactions.run(dataSource, connection -> run(connection, version, evenWithParked, ends));
            return null;
        } catch (NotNow e) {
            return e.getMessage();
        } catch (SQLException e) {
            if (LOCK_NOT_AVAILABLE.equals(e.getSQLState())) {
                return "a reader's or a feeder's transaction is in the way; trying again";
            }
            if (DEPENDENT_OBJECTS.equals(e.getSQLState())) {
                throw new SubscriptionException(
                        "view " + view + ": version " + version + " changes columns that other objects of the database"
                                + " depend on; drop those first: " + e.getMessage(),
                        e);
            }
            throw e;
        }
    }

    private void run(Connection connection, int version, boolean evenWithParked, Map<TopicPartition, Long> ends)
            throws SQLException {
        lockTimeout(connection, LOCK_MAX_FOR_FEEDERS);
        SortedMap<Integer, VersionRow> rows = versions.lock(connection);
        VersionRow next = rows.get(version);
        VersionRow live = VersionStore.live(rows).orElse(null);
        if (next == null || !next.state().isFed() || live == null) {
            throw new SubscriptionException("view " + view + " has no version " + version + " that could become live"
                    + (next == null ? "" : ": it is " + next.state()));
        }
        if (next.state() == VersionState.LIVE) {
            return;
        }
        if (next.paused()) {
            throw new NotNow("version " + version + " is paused: resume it");
        }
        if (next.caughtUpAt() == null) {
            throw new NotNow("version " + version + " has not caught up yet");
        }
        requireNoOlderSnapshot(connection, version);
        waitUntilAsFar(connection, live, next, ends);
        if (!evenWithParked) {
            requireNoneParked(connection, next);
        }
        lockTimeout(connection, LOCK_MAX_FOR_READERS);
        new StableNames(connection, view).lead(live.schema(), next.schema());
        versions.become(connection, live.version(), VersionState.PREVIOUS);
        versions.become(connection, version, VersionState.LIVE);
    }

    private void waitUntilAsFar(Connection connection, VersionRow live, VersionRow next, Map<TopicPartition, Long> ends)
            throws SQLException {
        Positions held = Positions.lock(connection, live.subscription());
        long deadline = System.nanoTime() + HOLD_MAX.toNanos();
        Lag lag = Lag.between(live, held, next, Positions.read(connection, next.subscription()), ends);
        while (!lag.isZero()) {
            if (System.nanoTime() > deadline) {
                throw new NotNow("version " + next.version() + " is behind: " + lag);
            }
            LockSupport.parkNanos(LOOK_EVERY.toNanos());
            lag = Lag.between(live, held, next, Positions.read(connection, next.subscription()), ends);
        }
    }

    /**
     * A transaction that sees the database as it was at its beginning would find the new version's tables as they were
     * then: half built.
     */
    private void requireNoOlderSnapshot(Connection connection, int version) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement("SELECT a.pid, a.xact_start"
                + " FROM pg_catalog.pg_stat_activity a JOIN tributary.view_version v ON v.view = ? AND v.version = ?"
                + " WHERE a.datname = current_database() AND a.backend_type = 'client backend'"
                + " AND a.pid <> pg_backend_pid() AND a.backend_xmin IS NOT NULL AND a.xact_start < v.caught_up_at")) {
            query.setString(1, view);
            query.setInt(2, version);
            try (ResultSet row = query.executeQuery()) {
                if (row.next()) {
                    throw new NotNow(
                            "database session " + row.getInt(1) + " still sees the database as of " + row.getString(2)
                                    + ", when version " + version + " had not caught up; waiting for its end");
                }
            }
        }
    }

    /** Only now: it may have parked some on its way here. */
    private static void requireNoneParked(Connection connection, VersionRow next) throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement("SELECT count(*) FROM tributary.parked_event WHERE subscription = ?")) {
            query.setString(1, next.subscription());
            try (ResultSet row = query.executeQuery()) {
                row.next();
                if (row.getLong(1) > 0) {
                    throw new NotNow(withheldForParked(row.getLong(1)));
                }
            }
        }
    }

    static String withheldForParked(long events) {
        return events + " events are parked, which readers would lack: redrive or discard them, or switch by command";
    }

    private static void lockTimeout(Connection connection, String max) throws SQLException {
        execute(connection, "SET LOCAL lock_timeout = '" + max + "'");
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
