package dev.tributary.relay.source;

import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGProperty;
import org.postgresql.replication.LogSequenceNumber;

/** A connection that speaks the replication protocol's commands. Used by one thread. */
final class ReplicationConnection implements AutoCloseable {
    private static final int TIMEOUT_SECONDS = 10;

    private final SourceConfig source;
    private final Connection connection;

    /** Connects. */
    ReplicationConnection(SourceConfig source) throws SQLException {
        this.source = source;
        Properties properties = new Properties();
        PGProperty.USER.set(properties, source.username());
        PGProperty.PASSWORD.set(properties, source.password());
        PGProperty.REPLICATION.set(properties, "database");
        PGProperty.ASSUME_MIN_SERVER_VERSION.set(properties, "14");
        PGProperty.PREFER_QUERY_MODE.set(properties, "simple");
        PGProperty.CONNECT_TIMEOUT.set(properties, TIMEOUT_SECONDS);
        PGProperty.SOCKET_TIMEOUT.set(properties, TIMEOUT_SECONDS);
        PGProperty.TCP_KEEP_ALIVE.set(properties, true);
        PGProperty.APPLICATION_NAME.set(properties, "tributary-relay-" + source.name() + "-history");
        this.connection = DriverManager.getConnection(source.url(), properties);
    }

    /**
     * Where the history of {@code current} left timeline {@code earlier}; null if it never was on that.
     *
     * @see <a href="https://www.postgresql.org/docs/current/protocol-replication.html">TIMELINE_HISTORY</a>
     */
    @Nullable
    Long leftTimelineAt(int current, int earlier) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet file = statement.executeQuery("TIMELINE_HISTORY " + current)) {
            file.next();
            return switchPoint(file.getString(2), earlier);
        }
    }

    /**
     * A new slot.
     *
     * @param lsn what committed before is in the snapshot, everything else comes through the slot
     * @param snapshot lasts until this connection is used again or closed
     */
    record NewSlot(long lsn, String snapshot) {}

    /** Waits for all transactions that are open; to be ended, if need be, by closing the connection. */
    NewSlot createSlot(int serverMajorVersion) throws SQLException {
        String options = serverMajorVersion < 17 ? exporting(serverMajorVersion) : "(SNAPSHOT 'export', FAILOVER true)";
        return create("\"" + source.slot() + "\" LOGICAL pgoutput " + options);
    }

    /** As {@link #createSlot}, one that ends with this connection. */
    NewSlot createTemporarySlot(String name, int serverMajorVersion) throws SQLException {
        return create("\"" + name + "\" TEMPORARY LOGICAL pgoutput " + exporting(serverMajorVersion));
    }

    private static String exporting(int serverMajorVersion) {
        return serverMajorVersion < 15 ? "EXPORT_SNAPSHOT" : "(SNAPSHOT 'export')";
    }

    private NewSlot create(String slotAndOptions) throws SQLException {
        connection.setNetworkTimeout(Runnable::run, 0);
        try (Statement statement = connection.createStatement();
                ResultSet slot = statement.executeQuery("CREATE_REPLICATION_SLOT " + slotAndOptions)) {
            slot.next();
            return new NewSlot(LogSequenceNumber.valueOf(slot.getString(2)).asLong(), slot.getString(3));
        }
    }

    /** Each line of a history file is {@code <timeline> <LSN where it was left> <reason>}. */
    static @Nullable Long switchPoint(String historyFile, int timeline) {
        for (String line : historyFile.split("\\R", -1)) {
            String[] words = line.strip().split("\\s+", 3);
            if (words.length >= 2 && words[0].equals(Integer.toUnsignedString(timeline))) {
                return LogSequenceNumber.valueOf(words[1]).asLong();
            }
        }
        return null;
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
