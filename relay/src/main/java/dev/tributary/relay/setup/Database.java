package dev.tributary.relay.setup;

import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** Connections for looking and creating, and the few ways of asking that this package needs. */
final class Database {
    private static final String CONNECT_SECONDS_MAX = "10";
    private static final String ANSWER_SECONDS_MAX = "60";

    private Database() {}

    static Connection connect(SourceConfig source) throws SQLException {
        return DriverManager.getConnection(source.url(), properties(source));
    }

    /** A connection of the kind that streams, which takes the role's right to replicate and a free WAL sender. */
    static Connection connectForReplication(SourceConfig source) throws SQLException {
        Properties properties = properties(source);
        properties.setProperty("replication", "database");
        properties.setProperty("preferQueryMode", "simple");
        properties.setProperty("assumeMinServerVersion", "14");
        return DriverManager.getConnection(source.url(), properties);
    }

    private static Properties properties(SourceConfig source) {
        Properties properties = new Properties();
        properties.setProperty("user", source.username());
        properties.setProperty("password", source.password());
        properties.setProperty("ApplicationName", "tributary-relay-setup");
        properties.setProperty("connectTimeout", CONNECT_SECONDS_MAX);
        properties.setProperty("loginTimeout", CONNECT_SECONDS_MAX);
        properties.setProperty("socketTimeout", ANSWER_SECONDS_MAX);
        return properties;
    }

    /** Makes a value of a row. */
    @FunctionalInterface
    interface RowMapper<T> {
        T map(ResultSet row) throws SQLException;
    }

    static <T> List<T> list(Connection connection, String sql, RowMapper<T> mapper, String... arguments)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < arguments.length; i++) {
                statement.setString(i + 1, arguments[i]);
            }
            try (ResultSet rows = statement.executeQuery()) {
                List<T> list = new ArrayList<>();
                while (rows.next()) {
                    list.add(mapper.map(rows));
                }
                return list;
            }
        }
    }

    static List<String> texts(Connection connection, String sql, String... arguments) throws SQLException {
        return list(connection, sql, row -> row.getString(1), arguments);
    }

    /** The first row's value, or null if there is no row. */
    static <T> @Nullable T first(Connection connection, String sql, RowMapper<T> mapper, String... arguments)
            throws SQLException {
        List<T> all = list(connection, sql, mapper, arguments);
        return all.isEmpty() ? null : all.get(0);
    }

    static String setting(Connection connection, String name) throws SQLException {
        String value =
                first(connection, "SELECT setting FROM pg_settings WHERE name = ?", row -> row.getString(1), name);
        return value == null ? "" : value;
    }
}
