package dev.tributary.consumer.view;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/** Reading transactions in which the database stands still, however long they take, and writes values in one way. */
final class Snapshots {
    /** So that the same value has the same text in every session. */
    static final String TEXTS = "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO';"
            + " SET LOCAL IntervalStyle = 'iso_8601'; SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1;"
            + " SET LOCAL xmloption = 'content'; SET LOCAL lc_monetary = 'C';";

    private Snapshots() {}

    interface Work<T> {
        T run() throws SQLException, InterruptedException;
    }

    /** Runs the work in one on this connection; it begins with the first query. */
    static <T> T in(Connection connection, Work<T> work) throws SQLException, InterruptedException {
        boolean autoCommit = connection.getAutoCommit();
        int isolation = connection.getTransactionIsolation();
        connection.setAutoCommit(false);
        connection.rollback();
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        connection.setReadOnly(true);
        try {
            try (Statement settings = connection.createStatement()) {
                settings.execute("SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0;"
                        + " SET LOCAL work_mem = '64MB';" + TEXTS);
            }
            return work.run();
        } finally {
            connection.rollback();
            connection.setReadOnly(false);
            connection.setTransactionIsolation(isolation);
            connection.setAutoCommit(autoCommit);
        }
    }
}
