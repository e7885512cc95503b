package dev.tributary.consumer.view;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** The schema with one version's tables, and what its subscription has in the database; in the caller's transactions. */
final class VersionTables {
    private VersionTables() {}

    static boolean exist(Connection connection, String schema) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement("SELECT to_regnamespace(?) IS NOT NULL")) {
            query.setString(1, schema);
            try (ResultSet row = query.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }

    static void create(Connection connection, String schema, List<String> scripts) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE SCHEMA " + schema);
            statement.execute("SET LOCAL search_path = " + schema);
            for (String script : scripts) {
                statement.execute(script);
            }
            statement.execute("SET LOCAL search_path TO DEFAULT");
        }
    }

    /** Its tables, with all else that can be read like one, by name. */
    static List<String> names(Connection connection, String schema) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement("SELECT relname FROM pg_catalog.pg_class"
                + " WHERE relnamespace = to_regnamespace(?) AND relkind IN ('r', 'p', 'v', 'm', 'f')"
                + " AND NOT relispartition ORDER BY relname")) {
            query.setString(1, schema);
            List<String> names = new ArrayList<>();
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    names.add(rows.getString(1));
                }
            }
            return names;
        }
    }

    /** Removes all of it; waits for the batches that run, and no further one begins. */
    static void drop(Connection connection, String schema, String subscription) throws SQLException {
        for (String table :
                List.of("subscription_position", "parked_event", "parked_aggregate", "aggregate_sequence")) {
            try (PreparedStatement delete =
                    connection.prepareStatement("DELETE FROM tributary." + table + " WHERE subscription = ?")) {
                delete.setString(1, subscription);
                delete.executeUpdate();
            }
        }
        try (Statement statement = connection.createStatement()) {
            statement.execute("DROP SCHEMA IF EXISTS " + schema + " CASCADE");
        }
    }
}
