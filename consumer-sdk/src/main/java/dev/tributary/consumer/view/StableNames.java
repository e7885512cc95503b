package dev.tributary.consumer.view;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The names that readers use: SQL views, in a schema called like the view, onto the tables of its live version. A
 * reader that holds one keeps the switch out, and one that comes while it happens waits for its end, so nobody sees some
 * names lead here and others there.
 */
final class StableNames {
    private final Connection connection;
    private final String schema;

    /** @param view names the schema */
    StableNames(Connection connection, String view) {
        this.connection = connection;
        this.schema = view;
    }

    /**
     * Has the names lead to one version's tables.
     *
     * @param from the schema that they lead to now; null if there are none yet
     * @param to the schema that they are to lead to
     */
    void lead(@Nullable String from, String to) throws SQLException {
        execute("CREATE SCHEMA IF NOT EXISTS " + schema);
        List<String> names = VersionTables.names(connection, to);
        SortedSet<String> all = new TreeSet<>(names);
        if (from != null) {
            all.addAll(VersionTables.names(connection, from));
        }
        for (String name : all) {
            if (names.contains(name)) {
                replace(name, to);
            } else {
                execute("DROP VIEW IF EXISTS " + quoted(schema, name));
            }
        }
    }

    private void replace(String name, String to) throws SQLException {
        String stable = quoted(schema, name);
        String create = "VIEW " + stable + " AS SELECT * FROM " + quoted(to, name);
        List<String> now = columns(stable);
        List<String> then = columns(quoted(to, name));
        if (now.size() <= then.size() && now.equals(then.subList(0, now.size()))) {
            execute("CREATE OR REPLACE " + create);
        } else {
            // PostgreSQL replaces only what keeps its columns
            List<String> grants = grants(stable);
            execute("DROP VIEW " + stable);
            execute("CREATE " + create);
            for (String grant : grants) {
                execute(grant);
            }
        }
    }

    /** Names and types; none if there is no such relation. */
    private List<String> columns(String relation) throws SQLException {
        return strings(
                "SELECT quote_ident(attname) || ' ' || format_type(atttypid, atttypmod) || ' ' || attcollation"
                        + " FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass(?) AND attnum > 0"
                        + " AND NOT attisdropped ORDER BY attnum",
                relation);
    }

    private List<String> grants(String relation) throws SQLException {
        return strings(
                "SELECT format('GRANT %s ON %s TO %s', privilege_type, c.oid::regclass,"
                        + " CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)"
                        + " || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END"
                        + " FROM pg_catalog.pg_class c, aclexplode(c.relacl)"
                        + " WHERE c.oid = to_regclass(?) AND grantee <> c.relowner",
                relation);
    }

    private List<String> strings(String sql, String parameter) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(sql)) {
            query.setString(1, parameter);
            List<String> strings = new ArrayList<>();
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    strings.add(rows.getString(1));
                }
            }
            return strings;
        }
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String quoted(String schema, String name) {
        return schema + ".\"" + name.replace("\"", "\"\"") + "\"";
    }
}
