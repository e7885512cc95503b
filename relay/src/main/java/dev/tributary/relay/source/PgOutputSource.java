package dev.tributary.relay.source;

import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.ChangeListener;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.ReadAheadSocketFactory.ReadAheadSocket;
import dev.tributary.relay.source.SourceDatabase.Server;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Objects;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.postgresql.PGConnection;
import org.postgresql.PGProperty;
import org.postgresql.replication.LogSequenceNumber;
import org.postgresql.replication.PGReplicationStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tails PostgreSQL's own logical decoding plugin over the streaming replication protocol. A thread of its own tells the
 * server every second that this reader lives, whatever keeps the relay's thread; the two take turns at the stream.
 */
public final class PgOutputSource implements ChangeSource {
    private static final Logger LOG = LoggerFactory.getLogger(PgOutputSource.class);
    /** Well below the server's default {@code wal_sender_timeout} of 60 s, and the patience of a standby. */
    private static final Duration STATUS_INTERVAL = Duration.ofSeconds(1);
    /**
     * How long a message may take that has begun to arrive. The driver takes the shorter of this and its own status
     * interval, so both are set.
     */
    private static final Duration MESSAGE_MAX = Duration.ofSeconds(10);

    private static final int CONNECT_TIMEOUT_SECONDS = 10;
    private static final String SLOT_IN_USE = "55006";
    private static final String UNDEFINED_OBJECT = "42704";
    private static final String CONNECTION_FAILURE = "08006";

    private final Connection connection;
    private final ReadAheadSocket socket;
    private final PGReplicationStream stream;
    private final PgOutputDecoder decoder;
    private final ScheduledExecutorService statusThread;

    /**
     * Takes the source's slot and starts streaming behind {@code confirmedLsn}, or where the slot is by then.
     *
     * @param server the server that the slot was seen on
     * @param epoch of the positions that events get
     * @throws RelayException if this is another server
     * @throws RelayException.SlotBusy if another reader holds the slot
     * @throws RelayException.SlotLost if there is no such slot
     * @throws SQLException if the database cannot be reached or refuses
     */
    public PgOutputSource(SourceConfig source, Server server, int epoch, long confirmedLsn) throws SQLException {
        decoder = new PgOutputDecoder(source, epoch);
        String socketKey = source.slot() + " " + UUID.randomUUID();
        connection = connect(source, socketKey);
        try {
            socket = Objects.requireNonNull(ReadAheadSocketFactory.taken(socketKey), "the driver made no socket");
            refuseOther(server);
            stream = connection
                    .unwrap(PGConnection.class)
                    .getReplicationAPI()
                    .replicationStream()
                    .logical()
                    .withSlotName(source.slot())
                    .withStartPosition(LogSequenceNumber.valueOf(confirmedLsn))
                    .withSlotOption("proto_version", 1)
                    .withSlotOption("publication_names", source.publication())
                    // Binary is smaller and faster; what types a service chose for its own table is not known here
                    .withSlotOption("binary", source.layout().isOwn())
                    .withStatusInterval((int) MESSAGE_MAX.toMillis(), TimeUnit.MILLISECONDS)
                    .withAutomaticFlush(false) // the driver would confirm what is not in Kafka
                    .start();
            sendStatus();
        } catch (RuntimeException e) {
            close(connection);
            throw e;
        } catch (SQLException e) {
            close(connection);
            throw translated(source, e);
        }
        statusThread = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "relay-" + source.name() + "-status");
            thread.setDaemon(true);
            return thread;
        });
        var unused = statusThread.scheduleWithFixedDelay(
                this::sendStatusIfPossible,
                STATUS_INTERVAL.toMillis(),
                STATUS_INTERVAL.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    private static Connection connect(SourceConfig source, String socketKey) throws SQLException {
        try {
            return DriverManager.getConnection(source.url(), replicationProperties(source, socketKey));
        } catch (SQLException e) {
            var unused = ReadAheadSocketFactory.taken(socketKey); // or it would stay in memory for good
            throw e;
        }
    }

    /** During a failover, two connections made one after the other may lead to two servers. */
    private void refuseOther(Server seen) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet system = statement.executeQuery("IDENTIFY_SYSTEM")) {
            system.next();
            if (!system.getString(1).equals(seen.systemId()) || system.getInt(2) != seen.timeline()) {
                throw new RelayException(
                        "the server changed while it was looked at", "none; the relay looks again", null);
            }
        }
    }

    private synchronized void sendStatus() throws SQLException {
        stream.forceUpdateStatus();
    }

    private void sendStatusIfPossible() {
        try {
            sendStatus();
        } catch (SQLException e) {
            LOG.debug("Status not sent; the next read will say why", e);
        }
    }

    private static Properties replicationProperties(SourceConfig source, String socketKey) {
        Properties properties = new Properties();
        PGProperty.USER.set(properties, source.username());
        PGProperty.PASSWORD.set(properties, source.password());
        PGProperty.REPLICATION.set(properties, "database");
        PGProperty.ASSUME_MIN_SERVER_VERSION.set(properties, "14");
        PGProperty.PREFER_QUERY_MODE.set(properties, "simple");
        PGProperty.CONNECT_TIMEOUT.set(properties, CONNECT_TIMEOUT_SECONDS);
        PGProperty.SOCKET_TIMEOUT.set(properties, (int) MESSAGE_MAX.toSeconds());
        PGProperty.TCP_KEEP_ALIVE.set(properties, true);
        PGProperty.SOCKET_FACTORY.set(properties, ReadAheadSocketFactory.class.getName());
        PGProperty.SOCKET_FACTORY_ARG.set(properties, socketKey);
        PGProperty.APPLICATION_NAME.set(properties, "tributary-relay-" + source.name());
        return properties;
    }

    private static SQLException translated(SourceConfig source, SQLException e) {
        if (SLOT_IN_USE.equals(e.getSQLState())) {
            throw new RelayException.SlotBusy(
                    "slot " + source.slot() + " is in use: " + e.getMessage(),
                    "none if another relay streams this source; this one takes over when the slot is free",
                    e);
        }
        if (UNDEFINED_OBJECT.equals(e.getSQLState())) {
            throw new RelayException.SlotLost(
                    "slot " + source.slot() + " does not exist",
                    "run `init` if this source is new, otherwise `recover`");
        }
        return e;
    }

    @Override
    public synchronized boolean poll(ChangeListener listener) throws SQLException {
        ByteBuffer message = stream.readPending();
        if (message == null) {
            return false;
        }
        decoder.decode(message, listener);
        return true;
    }

    @Override
    public void await(Duration atMost) throws SQLException {
        try {
            socket.await((int) atMost.toMillis());
        } catch (IOException e) {
            throw new SQLException("the stream broke: " + e.getMessage(), CONNECTION_FAILURE, e);
        }
    }

    @Override
    public void confirm(long lsn) {
        LogSequenceNumber confirmed = LogSequenceNumber.valueOf(lsn);
        stream.setFlushedLSN(confirmed);
        stream.setAppliedLSN(confirmed);
    }

    @Override
    public synchronized long caughtUpTo() {
        return decoder.inTransaction() ? -1 : stream.getLastReceiveLSN().asLong();
    }

    @Override
    public synchronized long arrivedUpTo() {
        return decoder.inTransaction()
                ? decoder.commitLsn()
                : stream.getLastReceiveLSN().asLong();
    }

    @Override
    public void close() {
        statusThread.shutdownNow();
        try {
            if (!stream.isClosed()) {
                sendStatus();
            }
        } catch (SQLException e) {
            LOG.debug("Last status not sent; the server will send again what it had not heard of", e);
        }
        close(connection);
    }

    private static void close(Connection connection) {
        try {
            // The stream is not closed first: that waits for the server to finish the transaction it is sending
            connection.abort(Runnable::run);
        } catch (SQLException e) {
            LOG.debug("Replication connection was gone already", e);
        }
    }
}
