package dev.tributary.consumer;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Transactions of the view's database on connections of their own, which the work commits. Thread-safe. */
final class Transactions {
    private static final Logger LOG = LoggerFactory.getLogger(Transactions.class);

    private final DataSource dataSource;
    private final Timeouts timeouts;

    Transactions(SubscriptionConfig config) {
        this.dataSource = config.dataSource();
        this.timeouts = config.timeouts();
    }

    interface Work<T> {
        T run(Connection connection) throws SQLException;
    }

    /** What the work has not committed is rolled back. */
    <T> T run(Work<T> work) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            Databases.limitAnswerTime(connection, timeouts.database());
            connection.setAutoCommit(false);
            try {
                return work.run(connection);
            } finally {
                rollback(connection);
            }
        }
    }

    /**
     * The same for work that waits for others, whatever isolation the data source says: above READ COMMITTED it would see what
     * there was at its first query, and fail at a position that a batch has moved since: on a busy partition each time. For
     * work without handlers, whose isolation is the service's to choose. What it locks it does not keep for longer than the
     * time-out, should this process freeze.
     */
    <T> T runReadCommitted(Work<T> work) throws SQLException {
        return run(connection -> {
            try (Statement statement = connection.createStatement()) {
                statement.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
            }
            endWhenFrozen(connection, timeouts);
            return work.run(connection);
        });
    }

    /** Has the database end the transaction, with its locks, should this process freeze in it. */
    static void endWhenFrozen(Connection connection, Timeouts timeouts) throws SQLException {
        try (Statement setting = connection.createStatement()) {
            setting.execute("SET LOCAL idle_in_transaction_session_timeout = '"
                    + timeouts.idleInTransaction().toMillis() + "ms'");
        }
    }

    private static void rollback(Connection connection) {
        try {
            connection.rollback();
        } catch (SQLException e) {
            // The session is gone, and the transaction with it
            LOG.debug("cannot roll back", e);
        }
    }
}
