package dev.tributary.relay.setup;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The two tables that the relay tails, and the columns that it reads there. */
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

    private EventTables() {}

    static List<Finding> findings(Connection connection) throws SQLException {
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
        return findings;
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
