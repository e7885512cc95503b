package dev.tributary.relay.source;

import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.ChangeListener;
import dev.tributary.relay.flow.RelayException;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.PGProperty;
import org.postgresql.replication.LogSequenceNumber;
import org.postgresql.replication.PGReplicationStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tails PostgreSQL's own logical decoding plugin over the streaming replication protocol. */
public final class PgOutputSource implements ChangeSource {
    private static final Logger LOG = LoggerFactory.getLogger(PgOutputSource.class);
    /** Well below the server's default {@code wal_sender_timeout} of 60 s. */
    private static final Duration STATUS_INTERVAL = Duration.ofSeconds(1);

    private static final int CONNECT_TIMEOUT_SECONDS = 10;
    private static final String SLOT_IN_USE = "55006";
    private static final String UNDEFINED_OBJECT = "42704";

    private final Connection connection;
    private final PGReplicationStream stream;
    private final PgOutputDecoder decoder;
    private long statusSentNanos = System.nanoTime();
    private long statusSentLsn;

    /**
     * Takes the source's slot and starts streaming behind {@code confirmedLsn}.
     *
     * @throws RelayException.SlotBusy if another reader holds the slot
     * @throws RelayException.SlotLost if there is no such slot
     * @throws SQLException if the database cannot be reached or refuses
     */
    public PgOutputSource(SourceConfig source, long confirmedLsn) throws SQLException {
        decoder = new PgOutputDecoder(source.epoch());
        connection = DriverManager.getConnection(source.url(), replicationProperties(source));
        try {
            stream = connection
                    .unwrap(PGConnection.class)
                    .getReplicationAPI()
                    .replicationStream()
                    .logical()
                    .withSlotName(source.slot())
                    .withStartPosition(LogSequenceNumber.valueOf(confirmedLsn))
                    .withSlotOption("proto_version", 1)
                    .withSlotOption("publication_names", source.publication())
                    .withSlotOption("binary", true)
                    .withStatusInterval((int) STATUS_INTERVAL.toMillis(), java.util.concurrent.TimeUnit.MILLISECONDS)
                    .withAutomaticFlush(false) // the driver would confirm what is not in Kafka
                    .start();
            confirm(confirmedLsn);
        } catch (SQLException e) {
            close(connection);
            throw translated(source, e);
        }
    }

    private static Properties replicationProperties(SourceConfig source) {
        Properties properties = new Properties();
        PGProperty.USER.set(properties, source.username());
        PGProperty.PASSWORD.set(properties, source.password());
        PGProperty.REPLICATION.set(properties, "database");
        PGProperty.ASSUME_MIN_SERVER_VERSION.set(properties, "14");
        PGProperty.PREFER_QUERY_MODE.set(properties, "simple");
        PGProperty.CONNECT_TIMEOUT.set(properties, CONNECT_TIMEOUT_SECONDS);
        PGProperty.TCP_KEEP_ALIVE.set(properties, true);
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
                    "slot " + source.slot() + " does not exist", "run `init` if this source is new");
        }
        return e;
    }

    @Override
    public boolean poll(ChangeListener listener) throws SQLException {
        ByteBuffer message = stream.readPending();
        if (message == null) {
            return false;
        }
        decoder.decode(message, listener);
        return true;
    }

    @Override
    public void confirm(long lsn) throws SQLException {
        LogSequenceNumber confirmed = LogSequenceNumber.valueOf(lsn);
        stream.setFlushedLSN(confirmed);
        stream.setAppliedLSN(confirmed);
        long now = System.nanoTime();
        boolean due = now - statusSentNanos >= STATUS_INTERVAL.toNanos();
        // The first one at once: it also proves that the server hears us
        if (due || statusSentLsn == 0) {
            stream.forceUpdateStatus();
            statusSentNanos = now;
            statusSentLsn = lsn;
        }
    }

    @Override
    public long caughtUpTo() {
        return decoder.inTransaction() ? -1 : stream.getLastReceiveLSN().asLong();
    }

    @Override
    public void close() {
        try {
            if (!stream.isClosed()) {
                stream.forceUpdateStatus();
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
