package dev.tributary.relay.setup;

import dev.tributary.relay.config.OutboxLayout;
import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** The tables that the relay tails, the columns that it reads there, and the table that tells it the topics. */
final class EventTables {
    private static final List<String> OWN_COLUMNS = List.of(
            "id uuid",
            "aggregate_type text",
            "aggregate_id text",
            "sequence bigint",
            "type text",
            "content_type text",
            "payload bytea",
            "headers json",
            "occurred_at timestamp with time zone");

    private static final String HEADS = "tributary.aggregate";

    private EventTables() {}

    static List<Finding> findings(Connection connection, SourceConfig source) throws SQLException {
        OutboxLayout layout = source.layout();
        List<String> wanted = layout.isOwn() ? OWN_COLUMNS : layout.columnNames();
        List<Finding> findings = new ArrayList<>();
        for (String table : layout.tables()) {
            List<String> columns = columns(connection, table, layout.isOwn());
            List<String> missing =
                    wanted.stream().filter(c -> !columns.contains(c)).toList();
            if (columns.isEmpty()) {
                findings.add(Finding.failed(
                        "table",
                        table + " does not exist",
                        layout.isOwn() ? "Run 'relay init'" : "Create it, or correct " + source.key("table")));
            } else if (!missing.isEmpty()) {
                findings.add(Finding.failed(
                        "table",
                        table + " lacks the columns " + missing,
                        layout.isOwn()
                                ? "It is not the outbox that this relay reads, or somebody altered it: restore these columns"
                                : "It has " + columns + ": name them under " + source.key("table.field.event.*")
                                        + " and " + source.key("route.by.field")));
            } else {
                findings.add(Finding.ok("table", table));
            }
        }
        if (layout.isOwn()) {
            findings.add(readableHeads(connection, source.username()));
            findings.addAll(usableDeadLetters(connection, source));
        }
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
                        "GRANT USAGE ON SCHEMA tributary TO \"" + role + "\"; GRANT SELECT ON " + HEADS + " TO \""
                                + role + "\"");
    }

    /** Looked at at every start, whatever the policy is now: an aggregate that was set aside stays so. */
    private static List<Finding> usableDeadLetters(Connection connection, SourceConfig source) throws SQLException {
        String rights = source.poison() == SourceConfig.Poison.DEAD_LETTER ? "SELECT, INSERT, UPDATE" : "SELECT";
        String each = Arrays.stream(rights.split(", ", -1))
                .map(right -> "has_table_privilege(oid, '" + right + "')")
                .collect(Collectors.joining(" AND "));
        Boolean usable = Database.first(
                connection,
                "SELECT " + each + " FROM pg_class WHERE relnamespace = to_regnamespace('tributary')"
                        + " AND relname = 'dead_letter'",
                row -> row.getBoolean(1));
        return usable == null || usable
                ? List.of()
                : List.of(Finding.failed(
                        "table",
                        "role '" + source.username()
                                + "' may not use tributary.dead_letter, where events are set aside",
                        "GRANT " + rights + " ON tributary.dead_letter TO \"" + source.username() + "\""));
    }

    /** From the catalog, where a role sees also what it may not use. */
    private static List<String> columns(Connection connection, String table, boolean withTypes) throws SQLException {
        return Database.texts(
                connection, """
                SELECT a.attname || %s
                FROM pg_attribute a
                JOIN pg_class c ON c.oid = a.attrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname || '.' || c.relname = ? AND a.attnum > 0 AND NOT a.attisdropped
                """.formatted(withTypes ? "' ' || format_type(a.atttypid, NULL)" : "''"), table);
    }
}
