package dev.tributary.consumer.view;

import dev.tributary.consumer.SubscriptionException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A table that is in two schemas, and what of it is compared. Immutable.
 *
 * @param key what rows are found by: the primary key; all compared columns where there is none, so that rows are compared
 *     as a multiset
 * @param columns those compared, the key's among them
 */
record ComparedTable(String name, boolean hasPrimaryKey, List<Column> key, List<Column> columns) {
    ComparedTable {
        key = List.copyOf(key);
        columns = List.copyOf(columns);
    }

    /**
     * A column.
     *
     * @param type as PostgreSQL writes it
     * @param keyPart its place in the primary key, from 1; 0 if it is not in it
     */
    record Column(String name, String type, int keyPart) {
        boolean isInteger() {
            return type.equals("smallint") || type.equals("integer") || type.equals("bigint");
        }

        String quoted() {
            return quote(name);
        }

        /** In an order that we can tell from texts; where it is PostgreSQL's own, the key's index gives it for nothing. */
        String ordered() {
            String column = "r." + quoted();
            return isInteger() || type.equals("uuid") ? column : "(" + column + "::text) COLLATE \"C\"";
        }
    }

    /** The tables of a schema, by name. */
    static List<String> names(Connection connection, String schema) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement("SELECT relname FROM pg_catalog.pg_class"
                + " WHERE relnamespace = to_regnamespace(?) AND relkind IN ('r', 'p') AND NOT relispartition"
                + " ORDER BY relname")) {
            query.setString(1, quote(schema));
            List<String> names = new ArrayList<>();
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    names.add(row.getString(1));
                }
            }
            return names;
        }
    }

    /**
     * What can be compared of a table.
     *
     * @param leftOut columns not to compare, each {@code column} or {@code table.column}
     * @throws SubscriptionException if the table has not the same columns in both
     */
    static ComparedTable of(
            String name,
            Connection live,
            String liveSchema,
            Connection rebuilt,
            String rebuiltSchema,
            Set<String> leftOut)
            throws SQLException {
        List<Column> columns = columns(live, liveSchema, name);
        List<Column> theirs = columns(rebuilt, rebuiltSchema, name);
        if (columns.isEmpty() || !Set.copyOf(columns).equals(Set.copyOf(theirs))) {
            throw new SubscriptionException("table " + name + " is not the same in schemas " + liveSchema + " and "
                    + rebuiltSchema + ": " + described(columns) + " there, " + described(theirs)
                    + " here; rows can only be compared between tables made by the same scripts");
        }
        return of(name, columns, key(columns), leftOut);
    }

    private static ComparedTable of(String name, List<Column> columns, List<Column> key, Set<String> leftOut) {
        List<Column> compared = columns.stream()
                .filter(each -> !leftOut.contains(each.name()) && !leftOut.contains(name + "." + each.name()))
                .toList();
        if (compared.isEmpty()) {
            throw new SubscriptionException("all columns of table " + name + " are left out");
        }
        boolean hasPrimaryKey = !key.isEmpty() && compared.containsAll(key);
        return new ComparedTable(name, hasPrimaryKey, hasPrimaryKey ? key : compared, compared);
    }

    private static List<Column> key(List<Column> columns) {
        return columns.stream()
                .filter(each -> each.keyPart() > 0)
                .sorted(Comparator.comparingInt(Column::keyPart))
                .toList();
    }

    private static List<Column> columns(Connection connection, String schema, String table) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT a.attname, format_type(a.atttypid, a.atttypmod), coalesce(k.part, 0)"
                        + " FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_index i"
                        + " ON i.indrelid = a.attrelid AND i.indisprimary"
                        + " LEFT JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k (attnum, part)"
                        + " ON k.attnum = a.attnum AND k.part <= i.indnkeyatts"
                        + " WHERE a.attrelid = to_regclass(?) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum")) {
            query.setString(1, qualified(schema, table));
            List<Column> columns = new ArrayList<>();
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    columns.add(new Column(row.getString(1), row.getString(2), row.getInt(3)));
                }
            }
            return columns;
        }
    }

    /** What of a table that need not be the same in both can be compared; null if nothing can. */
    static @Nullable ComparedTable common(
            String name,
            Connection live,
            String liveSchema,
            Connection rebuilt,
            String rebuiltSchema,
            Set<String> leftOut)
            throws SQLException {
        List<Column> ours = columns(live, liveSchema, name);
        List<Column> common = columns(rebuilt, rebuiltSchema, name);
        common.retainAll(ours);
        return common.isEmpty()
                ? null
                : of(name, common, key(ours).equals(key(common)) ? key(common) : List.of(), leftOut);
    }

    private static String described(List<Column> columns) {
        return columns.isEmpty()
                ? "no such table"
                : columns.stream()
                        .map(each -> each.name() + " " + each.type() + (each.keyPart() > 0 ? " (key)" : ""))
                        .collect(Collectors.toCollection(TreeSet::new))
                        .toString();
    }

    /** Reads all rows, as texts, in the key's order. */
    String select(String schema) {
        return selectAll(schema) + " ORDER BY "
                + key.stream().map(Column::ordered).collect(Collectors.joining(", "));
    }

    /** Reads one row by {@link #keyCondition}. */
    String selectOne(String schema) {
        return selectAll(schema) + " WHERE " + keyCondition();
    }

    /** That r is the row whose key's values are the parameters, as texts. */
    String keyCondition() {
        return key.stream()
                .map(each -> "r." + each.quoted() + " = CAST(? AS " + each.type() + ")")
                .collect(Collectors.joining(" AND "));
    }

    private String selectAll(String schema) {
        return "SELECT "
                + columns.stream().map(each -> "r." + each.quoted() + "::text").collect(Collectors.joining(", "))
                + " FROM " + qualified(schema, name) + " AS r";
    }

    static String qualified(String schema, String table) {
        return quote(schema) + "." + quote(table);
    }

    static String quote(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }
}
