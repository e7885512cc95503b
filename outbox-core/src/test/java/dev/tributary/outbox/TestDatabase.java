package dev.tributary.outbox;

import dev.tributary.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** A database of its own on the shared server. */
final class TestDatabase {
    private final String url;

    private TestDatabase(String url) {
        this.url = url;
    }

    static TestDatabase empty() {
        return new TestDatabase(LocalPostgres.shared().createDatabase("outbox"));
    }

    static TestDatabase withTables() throws SQLException {
        return empty().makeTables();
    }

    /** Whose texts sort as ICU has it for that locale, from PostgreSQL 15 on. */
    static TestDatabase inLocale(String icuLocale) throws SQLException {
        return new TestDatabase(LocalPostgres.shared().createDatabase("outbox", icuLocale)).makeTables();
    }

    private TestDatabase makeTables() throws SQLException {
        try (Connection connection = autoCommitting()) {
            OutboxSchema.apply(connection);
        }
        return this;
    }

    String url() {
        return url;
    }

    Connection autoCommitting() throws SQLException {
        return DriverManager.getConnection(url, LocalPostgres.USER, LocalPostgres.PASSWORD);
    }

    Connection transaction() throws SQLException {
        Connection connection = autoCommitting();
        connection.setAutoCommit(false);
        return connection;
    }

    void execute(String sql) throws SQLException {
        try (Connection connection = autoCommitting()) {
            connection.createStatement().execute(sql);
        }
    }

    /** Empties the tables, which is quicker than another database. */
    void clear() throws SQLException {
        execute("TRUNCATE tributary.outbox, tributary.event_store, tributary.aggregate, tributary.snapshot");
    }

    /** The first column of every row, as text. */
    List<String> texts(String sql, Object... parameters) throws SQLException {
        try (Connection connection = autoCommitting()) {
            return texts(connection, sql, parameters);
        }
    }

    static List<String> texts(Connection connection, String sql, Object... parameters) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                query.setObject(i + 1, parameters[i]);
            }
            List<String> texts = new ArrayList<>();
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    texts.add(rows.getString(1));
                }
            }
            return texts;
        }
    }

    String text(String sql, Object... parameters) throws SQLException {
        return texts(sql, parameters).get(0);
    }

    /** How many rows the tables of the write side have together. */
    int rows() throws SQLException {
        return Integer.parseInt(text("SELECT (SELECT count(*) FROM tributary.outbox)"
                + " + (SELECT count(*) FROM tributary.event_store) + (SELECT count(*) FROM tributary.aggregate)"));
    }
}
