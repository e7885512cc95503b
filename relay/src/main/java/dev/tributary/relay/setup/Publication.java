package dev.tributary.relay.setup;

import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The publication as the server has it.
 *
 * @param operations what it publishes, such as {@code insert}
 * @param viaRoot whether a partition's rows appear under the partitioned table's name
 * @param tables the tables it covers, with schema
 * @param narrowed tables of which it hides rows or columns
 */
record Publication(String name, List<String> operations, boolean viaRoot, List<String> tables, List<String> narrowed) {
    private static final String SUBJECT = "publication";
    private static final List<String> INSERT = List.of("insert");
    private static final String QUIETLY =
            "While no service writes events and the relay is stopped (an altered publication can lose events otherwise): ";

    static String createSql(SourceConfig source) {
        return "CREATE PUBLICATION " + source.publication() + " FOR TABLE "
                + source.layout().tablesSql() + "\n    WITH (publish = 'insert', publish_via_partition_root = true);";
    }

    /** Null if there is none. */
    static @Nullable Publication read(Connection connection, String name) throws SQLException {
        List<String> tables = new ArrayList<>();
        List<String> narrowed = new ArrayList<>();
        // Row filters and column lists exist since PostgreSQL 15, and their columns with them
        Database.list(
                connection,
                """
                SELECT t.schemaname || '.' || t.tablename AS name,
                       to_jsonb(t) ->> 'rowfilter' IS NOT NULL
                       OR jsonb_array_length(to_jsonb(t) -> 'attnames') < (
                           SELECT count(*) FROM pg_attribute
                           JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                           WHERE n.nspname = t.schemaname AND c.relname = t.tablename
                             AND attnum > 0 AND NOT attisdropped) AS narrowed
                FROM pg_publication_tables t WHERE t.pubname = ? ORDER BY 1
                """,
                row -> {
                    tables.add(row.getString(1));
                    return row.getBoolean(2) && narrowed.add(row.getString(1));
                },
                name);
        return Database.first(
                connection,
                """
                SELECT pubviaroot, concat_ws(',', CASE WHEN pubinsert THEN 'insert' END,
                    CASE WHEN pubupdate THEN 'update' END, CASE WHEN pubdelete THEN 'delete' END,
                    CASE WHEN pubtruncate THEN 'truncate' END)
                FROM pg_publication WHERE pubname = ?
                """,
                row -> new Publication(
                        name, List.of(row.getString(2).split(",", -1)), row.getBoolean(1), tables, narrowed),
                name);
    }

    List<Finding> findings(SourceConfig source) {
        List<Finding> findings = new ArrayList<>();
        if (!operations.equals(INSERT)) {
            findings.add(Finding.failed(
                    SUBJECT,
                    name + " publishes " + operations + " and not just inserts",
                    QUIETLY + "ALTER PUBLICATION " + name + " SET (publish = 'insert')"));
        }
        if (!viaRoot) {
            findings.add(Finding.failed(
                    SUBJECT,
                    name + " publishes partitions under their own names",
                    QUIETLY + "ALTER PUBLICATION " + name + " SET (publish_via_partition_root = true)"));
        } else if (!tables.equals(source.layout().tables())) {
            findings.add(Finding.failed(
                    SUBJECT,
                    name + " covers " + tables + " instead of "
                            + source.layout().tables(),
                    QUIETLY + "ALTER PUBLICATION " + name + " SET TABLE "
                            + source.layout().tablesSql()
                            + "; where it is FOR ALL TABLES or of a schema, drop it and create it anew"));
        }
        if (!narrowed.isEmpty()) {
            findings.add(Finding.failed(
                    SUBJECT,
                    name + " hides rows or columns of " + narrowed,
                    QUIETLY + "ALTER PUBLICATION " + name + " SET TABLE "
                            + source.layout().tablesSql()));
        }
        return findings.isEmpty()
                ? List.of(Finding.ok(SUBJECT, name + " publishes inserts of " + String.join(" and ", tables)))
                : findings;
    }
}
