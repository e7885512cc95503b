package dev.tributary.relay.setup;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The two tables that the relay tails, the columns that it reads there, and the table that tells it the topics. */
final class EventTables {
    static final String SCHEMA = "tributary";
    static final List<String> NAMES = List.of("event_store", "outbox");

    static final List<String> COLUMNS = List.of(
            "id uuid",
            "aggregate_type text",
            "aggregate_id text",
            "sequence bigint",
            "type text",
            "content_type text",
            "payload bytea",
            "headers json",
            "occurred_at timestamp with time zone");

    private static final String HEADS = SCHEMA + ".aggregate";

    private EventTables() {}

    static List<Finding> findings(Connection connection, String role) throws SQLException {
        Map<String, List<String>> present = columns(connection);
        List<Finding> findings = new ArrayList<>();
        for (String table : NAMES) {
            String name = SCHEMA + "." + table;
            List<String> columns = present.getOrDefault(table, List.of());
            List<String> missing =
                    COLUMNS.stream().filter(c -> !columns.contains(c)).toList();
            if (columns.isEmpty()) {
                findings.add(Finding.failed("table", name + " does not exist", "Run 'relay init'"));
            } else if (!missing.isEmpty()) {
                findings.add(Finding.failed(
                        "table",
                        name + " lacks the columns " + missing,
                        "It is not the outbox that this relay reads, or somebody altered it: restore these columns"));
            } else {
                findings.add(Finding.ok("table", name));
            }
        }
        findings.add(readableHeads(connection, role));
        return findings;
    }

    /** Events come through the stream, for which no right on the tables is needed; the aggregate types do not. */
    private static Finding readableHeads(Connection connection, String role) throws SQLException {
        Boolean readable = Database.first(connection, """
                SELECT has_schema_privilege(relnamespace, 'USAGE') AND has_table_privilege(oid, 'SELECT')
                FROM pg_class WHERE relnamespace = to_regnamespace('tributary') AND relname = 'aggregate'
                """, row -> row.getBoolean(1));
        if (readable == null) {
            return Finding.failed("table", HEADS + " does not exist", "Run 'relay init'");
        }
        return readable
                ? Finding.ok("table", HEADS)
                : Finding.failed(
                        "table",
                        "role '" + role + "' may not read " + HEADS
                                + ", from which the relay learns what topics to make",
                        "GRANT USAGE ON SCHEMA " + SCHEMA + " TO \"" + role + "\"; GRANT SELECT ON " + HEADS + " TO \""
                                + role + "\"");
    }

    private static Map<String, List<String>> columns(Connection connection) throws SQLException {
        Map<String, List<String>> columns = new TreeMap<>();
        Database.list(
                connection,
                """
                SELECT c.relname, a.attname || ' ' || format_type(a.atttypid, NULL)
                FROM pg_attribute a
                JOIN pg_class c ON c.oid = a.attrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = ? AND a.attnum > 0 AND NOT a.attisdropped
                """,
                row -> columns.computeIfAbsent(row.getString(1), unused -> new ArrayList<>())
                        .add(row.getString(2)),
                SCHEMA);
        return columns;
    }
}
