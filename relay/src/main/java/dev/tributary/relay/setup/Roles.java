package dev.tributary.relay.setup;

import dev.tributary.outbox.OutboxSchema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Tells whether the roles of {@link OutboxSchema#roles} are there, with all that it grants them on tables. */
final class Roles {
    static final List<String> NAMES = List.of("tributary_writer", "tributary_reader", "tributary_relay");

    private static final Pattern GRANT =
            Pattern.compile("^GRANT ([^;]+?) ON (tributary\\.[^;]+?) TO (\\w+);", Pattern.MULTILINE);
    private static final Pattern RIGHT = Pattern.compile("(\\w+)(?: \\(([^)]*)\\))?");

    private Roles() {}

    static boolean lack(Connection connection) throws SQLException {
        for (String role : NAMES) {
            if (Database.texts(connection, "SELECT rolname FROM pg_roles WHERE rolname = ?", role)
                            .isEmpty()
                    || Database.texts(
                                    connection,
                                    "SELECT 'may' FROM pg_namespace WHERE nspname = 'tributary'"
                                            + " AND has_schema_privilege(?, oid, 'USAGE')",
                                    role)
                            .isEmpty()) {
                return true;
            }
        }
        Matcher grant = GRANT.matcher(OutboxSchema.roles());
        while (grant.find()) {
            for (String table : grant.group(2).split(",\\s*", -1)) {
                if (lacks(connection, grant.group(3), table, grant.group(1))) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean lacks(Connection connection, String role, String table, String rights) throws SQLException {
        Matcher right = RIGHT.matcher(rights);
        while (right.find()) {
            String sql = right.group(2) == null
                    ? "SELECT 'may' WHERE has_table_privilege(?, to_regclass(?), '" + right.group(1) + "')"
                    : "SELECT 'may' WHERE (SELECT bool_and(has_column_privilege(?, to_regclass(?), name, '"
                            + right.group(1) + "')) FROM unnest(string_to_array('"
                            + right.group(2).replaceAll("\\s", "") + "', ',')) AS name)";
            if (Database.texts(connection, sql, role, table).isEmpty()) {
                return true;
            }
        }
        return false;
    }
}
