package dev.tributary.relay.source;

import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.postgresql.PGConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection that waits for an answer however long it takes: millions of rows are sorted before the first one comes. A
 * network that has forgotten it would say nothing to who waits, for ever; so a second one asks meanwhile whether the server
 * still works for it.
 */
final class PatientConnection {
    private static final Duration LOOK_INTERVAL = Duration.ofSeconds(2);
    /** As much as a server may need that is busy sorting. */
    private static final Duration ANSWER_MAX = Duration.ofSeconds(60);

    private static final Logger LOG = LoggerFactory.getLogger(PatientConnection.class);

    private final Connection waiting;
    private final Connection looking;

    private PatientConnection(Connection waiting, Connection looking) {
        this.waiting = waiting;
        this.looking = looking;
    }

    /** The caller closes it, which ends the second one, too. Who waits when the server has given it up gets an SQLException. */
    static Connection open(SourceConfig source, String purpose) throws SQLException {
        Connection waiting = PostgresDatabase.open(source, purpose);
        try {
            waiting.setNetworkTimeout(Runnable::run, 0);
            Connection looking = PostgresDatabase.open(source, purpose + "-watch");
            looking.setNetworkTimeout(Runnable::run, (int) ANSWER_MAX.toMillis());
            Thread watch = new Thread(new PatientConnection(waiting, looking)::watch, "relay-" + purpose + "-watch");
            watch.setDaemon(true);
            watch.start();
            return waiting;
        } catch (SQLException e) {
            waiting.close();
            throw e;
        }
    }

    private void watch() {
        try (looking) {
            while (!waiting.isClosed() && isServed()) {
                LockSupport.parkNanos(LOOK_INTERVAL.toNanos());
            }
        } catch (SQLException e) {
            LOG.debug("The server says nothing any more", e);
        } finally {
            abort();
        }
    }

    private void abort() {
        try {
            waiting.abort(Runnable::run);
        } catch (SQLException e) {
            LOG.debug("It was gone", e);
        }
    }

    private boolean isServed() throws SQLException {
        try (PreparedStatement query = looking.prepareStatement("SELECT FROM pg_stat_activity WHERE pid = ?")) {
            query.setInt(1, waiting.unwrap(PGConnection.class).getBackendPID());
            try (ResultSet process = query.executeQuery()) {
                return process.next();
            }
        }
    }
}
