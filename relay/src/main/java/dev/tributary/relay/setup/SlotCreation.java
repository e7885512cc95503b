package dev.tributary.relay.setup;

import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;

/**
 * Creates a source's slot so that no event is left behind unseen: a temporary slot comes with a view of the tables as they
 * were where it begins; only if people know of what is to be seen there does the slot become a lasting one. Whatever fails
 * or is killed before leaves no slot, which would look as if nothing had been left behind. Used by one thread.
 */
final class SlotCreation implements AutoCloseable {
    private static final String LOCK_NOT_AVAILABLE = "55P03";
    private static final int NO_ANSWER_MS_MAX = 10_000;

    private final SourceConfig source;
    private final Connection replication;
    private final String temporary =
            "tributary_init_" + UUID.randomUUID().toString().replace("-", "");

    /** Connects. */
    SlotCreation(SourceConfig source) throws SQLException {
        this.source = source;
        this.replication = Database.connectForReplication(source);
    }

    /**
     * Takes the place at which the slot begins. All transactions that are open have to end first.
     *
     * @param patience how long to wait for each of them
     * @return PostgreSQL's name for the state of the tables: what committed before the slot begins. It lasts until
     *     {@link #keep} or {@link #close}
     * @throws SetupException if they do not end
     */
    String begin(Duration patience) throws SQLException {
        try (Statement statement = replication.createStatement()) {
            statement.execute("SET lock_timeout = " + patience.toMillis());
            try (ResultSet slot = statement.executeQuery(
                    "CREATE_REPLICATION_SLOT \"" + temporary + "\" TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT")) {
                slot.next();
                return slot.getString(3);
            }
        } catch (SQLException e) {
            if (!LOCK_NOT_AVAILABLE.equals(e.getSQLState())) {
                throw e;
            }
            throw new SetupException(List.of(Finding.failed(
                    "slot",
                    "no slot can be created before all open transactions have ended: " + openTransactions(),
                    "End them, or wait until they have ended, and run this again; no slot was created")));
        }
    }

    private String openTransactions() throws SQLException {
        try (Connection connection = Database.connect(source)) {
            return String.join("; ", Database.texts(connection, """
                    SELECT 'process ' || pid || ' of ' || coalesce(usename, '?') || ', since ' || xact_start
                    FROM pg_stat_activity WHERE backend_xid IS NOT NULL
                    UNION ALL
                    SELECT 'prepared transaction ' || gid || ', since ' || prepared FROM pg_prepared_xacts
                    """));
        }
    }

    /** Makes the slot a lasting one; where the server can, one that a standby takes over with everything else. */
    void keep(int serverMajorVersion) throws SQLException {
        try (Statement statement = replication.createStatement()) {
            statement.execute(
                    "SELECT pg_copy_logical_replication_slot('" + temporary + "', '" + source.slot() + "', false)");
            if (serverMajorVersion >= Slot.FAILOVER_SLOTS_SINCE) {
                // It waits for a relay that has the slot already, and is then done by the server alone
                replication.setNetworkTimeout(Runnable::run, NO_ANSWER_MS_MAX);
                statement.execute("ALTER_REPLICATION_SLOT \"" + source.slot() + "\" (FAILOVER true)");
            }
        }
    }

    @Override
    public void close() throws SQLException {
        replication.close();
    }
}
