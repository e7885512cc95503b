package dev.tributary.relay.source;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGProperty;
import org.postgresql.replication.LogSequenceNumber;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks PostgreSQL, on an ordinary connection. */
public final class PostgresDatabase implements SourceDatabase {
    private static final Logger LOG = LoggerFactory.getLogger(PostgresDatabase.class);
    private static final int TIMEOUT_SECONDS = 10;
    private static final String INSUFFICIENT_PRIVILEGE = "42501";

    private final SourceConfig source;
    private final Connection connection;

    /** Connects. */
    public PostgresDatabase(SourceConfig source) throws SQLException {
        this.source = source;
        this.connection = open(source, "monitor");
    }

    /** An ordinary connection, which tells the server what it is for. */
    public static Connection open(SourceConfig source, String purpose) throws SQLException {
        Properties properties = new Properties();
        PGProperty.USER.set(properties, source.username());
        PGProperty.PASSWORD.set(properties, source.password());
        PGProperty.CONNECT_TIMEOUT.set(properties, TIMEOUT_SECONDS);
        PGProperty.SOCKET_TIMEOUT.set(properties, TIMEOUT_SECONDS);
        PGProperty.TCP_KEEP_ALIVE.set(properties, true);
        PGProperty.APPLICATION_NAME.set(properties, "tributary-relay-" + source.name() + "-" + purpose);
        return DriverManager.getConnection(source.url(), properties);
    }

    @Override
    public long slotConfirmedLsn() throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT plugin, database = current_database(), wal_status, confirmed_flush_lsn::text"
                        + " FROM pg_replication_slots WHERE slot_name = ?")) {
            query.setString(1, source.slot());
            try (ResultSet slot = query.executeQuery()) {
                if (!slot.next()) {
                    throw new RelayException.SlotLost(
                            "replication slot " + source.slot() + " does not exist",
                            "run `init` if this source is new; otherwise run `recover`, which publishes what was"
                                    + " committed since and is only in the outbox table");
                }
                return checked(slot.getString(1), slot.getBoolean(2), slot.getString(3), slot.getString(4));
            }
        }
    }

    private long checked(
            @Nullable String plugin, boolean here, @Nullable String walStatus, @Nullable String confirmedLsn) {
        if (!"pgoutput".equals(plugin) || !here || confirmedLsn == null) {
            throw new RelayException.Stopped(
                    "replication slot " + source.slot() + " is not a pgoutput slot of this database (plugin " + plugin
                            + ")",
                    "drop it if nobody needs it, and run `init`",
                    null);
        }
        if ("lost".equals(walStatus)) {
            throw new RelayException.SlotLost(
                    "replication slot " + source.slot() + " is invalidated: the server has removed WAL that was not"
                            + " relayed yet",
                    "run `recover`, which publishes what was committed since " + confirmedLsn
                            + " and is only in the outbox table; and raise max_slot_wal_keep_size");
        }
        return LogSequenceNumber.valueOf(confirmedLsn).asLong();
    }

    @Override
    public void refuseHiddenEvents() throws SQLException {
        HiddenEvents.refuse(source, connection);
    }

    @Override
    public String publicationIdentity() throws SQLException {
        return HiddenEvents.identity(source, connection);
    }

    @Override
    public boolean slotInUse() throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement("SELECT 1 FROM pg_replication_slots WHERE slot_name = ? AND active")) {
            query.setString(1, source.slot());
            try (ResultSet row = query.executeQuery()) {
                return row.next();
            }
        }
    }

    @Override
    public Server server() throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                        "SELECT system_identifier::text, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8),"
                                + " pg_current_wal_insert_lsn()::text, pg_snapshot_xmax(pg_current_snapshot())::text"
                                + " FROM pg_control_system()");
                ResultSet row = query.executeQuery()) {
            row.next();
            return new Server(
                    row.getString(1),
                    Integer.parseUnsignedInt(row.getString(2), 16),
                    LogSequenceNumber.valueOf(row.getString(3)).asLong(),
                    Long.parseUnsignedLong(row.getString(4)));
        }
    }

    @Override
    public @Nullable Long leftTimelineAt(int timeline) throws SQLException {
        try (ReplicationConnection replication = new ReplicationConnection(source)) {
            return replication.leftTimelineAt(server().timeline(), timeline);
        }
    }

    /**
     * A transaction counts as ended in the statement's snapshot once its commit record is written, though perhaps not
     * on disk yet; so what had ended lies below where the WAL ended <em>in memory</em> when that is asked, which is after
     * the snapshot was taken.
     */
    @Override
    public Pulse pulse() throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement("SELECT clock_timestamp(), pg_current_wal_flush_lsn()::text,"
                        + " pg_snapshot_xmin(pg_current_snapshot())::text, pg_current_wal_insert_lsn()::text,"
                        + " slot.wal_status, pg_wal_lsn_diff(pg_current_wal_flush_lsn(), slot.restart_lsn),"
                        + " slot.safe_wal_size, nullif(pg_size_bytes(current_setting('max_slot_wal_keep_size')), -1),"
                        + " sender.sent_lsn::text FROM (VALUES (1)) one"
                        + " LEFT JOIN pg_replication_slots slot ON slot.slot_name = ?"
                        + " LEFT JOIN pg_stat_replication sender ON sender.pid = slot.active_pid")) {
            query.setString(1, source.slot());
            try (ResultSet row = query.executeQuery()) {
                row.next();
                String sent = row.getString(9);
                return new Pulse(
                        row.getObject(1, OffsetDateTime.class).toInstant(),
                        LogSequenceNumber.valueOf(row.getString(2)).asLong(),
                        new Ended(
                                Long.parseUnsignedLong(row.getString(3)),
                                LogSequenceNumber.valueOf(row.getString(4)).asLong()),
                        new SlotWal(
                                row.getString(5),
                                row.getLong(6),
                                row.getObject(7, Long.class),
                                row.getObject(8, Long.class)),
                        sent == null ? null : LogSequenceNumber.valueOf(sent).asLong());
            }
        }
    }

    /** By a commit: nothing else writes the log's end out at once. Standbys are not waited for. */
    @Override
    public void writeOut() throws SQLException {
        try (PreparedStatement emit =
                connection.prepareStatement("SELECT set_config('synchronous_commit', 'local', true),"
                        + " pg_logical_emit_message(true, 'tributary_relay', '')")) {
            emit.execute();
        } catch (SQLException e) {
            if (!INSUFFICIENT_PRIVILEGE.equals(e.getSQLState())) {
                throw e;
            }
            LOG.debug("Left to the server's background writer, which takes up to 15 s", e);
        }
    }

    @Override
    public @Nullable Holder slotHolder() throws SQLException {
        try (PreparedStatement query = connection.prepareStatement("SELECT sender.pid, sender.reply_time::text"
                + " FROM pg_replication_slots slot JOIN pg_stat_replication sender ON sender.pid = slot.active_pid"
                + " WHERE slot.slot_name = ? AND sender.reply_time IS NOT NULL")) {
            query.setString(1, source.slot());
            try (ResultSet row = query.executeQuery()) {
                return row.next() ? new Holder(row.getInt(1), row.getString(2)) : null;
            }
        }
    }

    @Override
    public void end(Holder holder) throws SQLException {
        try (PreparedStatement end = connection.prepareStatement("SELECT pg_terminate_backend(?)")) {
            end.setInt(1, holder.pid());
            end.execute();
        }
    }

    /** Skips along the primary key, however many rows there are. */
    @Override
    public List<String> aggregateTypes() throws SQLException {
        String skipScan = "WITH RECURSIVE t AS ((SELECT aggregate_type FROM tributary.aggregate ORDER BY 1 LIMIT 1)"
                + " UNION ALL SELECT (SELECT a.aggregate_type FROM tributary.aggregate a"
                + " WHERE a.aggregate_type > t.aggregate_type ORDER BY 1 LIMIT 1) FROM t"
                + " WHERE t.aggregate_type IS NOT NULL) SELECT aggregate_type FROM t WHERE aggregate_type IS NOT NULL";
        List<String> types = new ArrayList<>();
        if (!source.layout().isOwn()) {
            return types; // a service's own table says no types before its events do
        }
        try (PreparedStatement query = connection.prepareStatement(skipScan);
                ResultSet rows = query.executeQuery()) {
            while (rows.next()) {
                types.add(rows.getString(1));
            }
        }
        return types;
    }

    @Override
    public Set<Aggregate> parkedBefore(Position position) throws SQLException {
        return source.layout().isOwn() ? new DeadLetters(source, connection).parkedBefore(position) : Set.of();
    }

    @Override
    public List<SetAside> setAsideFrom(Position first) throws SQLException {
        return source.layout().isOwn() ? new DeadLetters(source, connection).from(first) : List.of();
    }

    @Override
    public boolean park(OutboxEvent event, @Nullable String reason) throws SQLException {
        return new DeadLetters(source, connection).park(event, reason);
    }

    /** The connection itself, for what only one engine asks. */
    public Connection connection() {
        return connection;
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
