package dev.tributary.consumer.view;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;

/** Work in a transaction of its own, which is rolled back when it fails. */
final class Transactions {
    /** How long locks that readers or other instances wait for may outlive an instance that is frozen or cut off. */
    private static final String IDLE_MAX = "3s";

    private Transactions() {}

    interface Work {
        void run(Connection connection) throws SQLException;
    }

    interface Question<T> {
        T ask(Connection connection) throws SQLException;
    }

    /**
     * Changes something. Under READ COMMITTED, whatever the data source says: it waits for others, batches among them, and then
     * has to see what they have done.
     */
    static void run(DataSource dataSource, Work work) throws SQLException {
        get(dataSource, connection -> {
            try (Statement statement = connection.createStatement()) {
                statement.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED;"
                        + " SET LOCAL idle_in_transaction_session_timeout = '" + IDLE_MAX + "'");
            }
            work.run(connection);
            return true;
        });
    }

    static <T> T get(DataSource dataSource, Question<T> question) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            connection.setAutoCommit(false);
            try {
                T answer = question.ask(connection);
                connection.commit();
                return answer;
            } catch (SQLException | RuntimeException | Error e) {
                rollback(connection, e);
                throw e;
            }
        }
    }

    private static void rollback(Connection connection, Throwable why) {
        try {
            connection.rollback();
        } catch (SQLException e) {
            why.addSuppressed(e);
        }
    }

    /** Lets one transaction at a time, of all instances, work on what is called so. */
    static void lockName(Connection connection, String name) throws SQLException {
        try (PreparedStatement lock =
                connection.prepareStatement("SELECT pg_advisory_xact_lock(hashtext('tributary view'), hashtext(?))")) {
            lock.setString(1, name);
            lock.execute();
        }
    }
}
