package dev.tributary.relay.source;

import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.ReplicationConnection.NewSlot;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Replaces a source's slot by a new one, together with a view of the tables as they were where that begins: what is seen
 * there committed before, everything else comes through the slot. One at a time for each source. Used by one thread.
 */
public final class SlotReplacement implements AutoCloseable {
    private static final String OBJECT_IN_USE = "55006";
    private static final String UNDEFINED_OBJECT = "42704";
    private static final Duration FREE_AFTER_MAX = Duration.ofSeconds(10);

    private final SourceConfig source;
    private final Connection connection;
    private @Nullable ReplicationConnection replication;

    /**
     * Connects.
     *
     * @throws RelayException.Stopped if another one is at work
     */
    public SlotReplacement(SourceConfig source) throws SQLException {
        this.source = source;
        this.connection = PostgresDatabase.open(source, "recover");
        if (!isTrue("SELECT pg_try_advisory_lock(hashtext('tributary recover'), hashtext(?))", source.name())) {
            connection.close();
            throw new RelayException.Stopped(
                    "another `recover` of source " + source.name() + " is at work", "wait until it has ended", null);
        }
    }

    private boolean isTrue(String sql, String argument) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(sql)) {
            query.setString(1, argument);
            try (ResultSet row = query.executeQuery()) {
                return row.next() && row.getBoolean(1);
            }
        }
    }

    /**
     * Who keeps the slot, by the name of the application; null if nobody does. A relay that looks at it in passing does
     * not count.
     */
    public @Nullable String reader() throws SQLException {
        long deadline = System.nanoTime() + FREE_AFTER_MAX.toNanos() / 2;
        while (true) {
            String reader = readerNow();
            if (reader == null || System.nanoTime() > deadline) {
                return reader;
            }
            rest();
        }
    }

    private @Nullable String readerNow() throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT coalesce(r.application_name, 'process ' || s.active_pid) FROM pg_replication_slots s"
                        + " LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid"
                        + " WHERE s.slot_name = ? AND s.active")) {
            query.setString(1, source.slot());
            try (ResultSet row = query.executeQuery()) {
                return row.next() ? row.getString(1) : null;
            }
        }
    }

    /** Does nothing if there is none; waits for a relay that looks at it in passing. */
    public void drop() throws SQLException {
        long deadline = System.nanoTime() + FREE_AFTER_MAX.toNanos();
        while (true) {
            try (PreparedStatement drop = connection.prepareStatement("SELECT pg_drop_replication_slot(?)")) {
                drop.setString(1, source.slot());
                drop.execute();
                return;
            } catch (SQLException e) {
                if (UNDEFINED_OBJECT.equals(e.getSQLState())) {
                    return;
                }
                if (!OBJECT_IN_USE.equals(e.getSQLState()) || System.nanoTime() > deadline) {
                    throw e;
                }
                rest();
            }
        }
    }

    /**
     * A new slot, and the tables as they were where it begins.
     *
     * @param lsn transactions that commit here or behind it come through the slot
     * @param snapshot PostgreSQL's name for the state of the tables before; lasts until this is closed
     */
    public record Seam(long lsn, String snapshot) {}

    /**
     * Creates the slot, which waits for all open transactions.
     *
     * @param waiting told from time to time what is waited for
     */
    public Seam create(Consumer<List<String>> waiting) throws SQLException {
        ReplicationConnection creating = new ReplicationConnection(source);
        replication = creating;
        int version = connection.getMetaData().getDatabaseMajorVersion();
        NewSlot slot = SlotInCreation.await(connection, () -> creating.createSlot(version), waiting);
        return new Seam(slot.lsn(), slot.snapshot());
    }

    private static void rest() {
        try {
            TimeUnit.MILLISECONDS.sleep(100);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RelayException("interrupted while waiting for the slot", "run it again", e);
        }
    }

    @Override
    public void close() throws SQLException {
        if (replication != null) {
            replication.close();
        }
        connection.close();
    }
}
