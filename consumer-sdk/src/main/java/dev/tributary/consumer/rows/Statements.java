package dev.tributary.consumer.rows;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One statement for many rows: values go as arrays of text, one per column, and become the column's type in the
 * database. That took the least CPU time of all ways, on both sides, and is the same for all types.
 *
 * <p>Each statement does nothing unless the table's name still means the table that it was made for.
 */
final class Statements {
    private static final String OBJECT_NOT_IN_PREREQUISITE_STATE = "55000";
    private static final String NAME_STILL_MEANS_IT = "pg_catalog.to_regclass(?) = CAST(? AS bigint)::oid";

    private final Connection connection;
    private final Table table;
    private final List<Column> key;

    Statements(Connection connection, Table table, List<Column> key) {
        this.connection = connection;
        this.table = table;
        this.key = key;
    }

    void delete(List<NetRow> rows) throws SQLException {
        String sql = "DELETE FROM " + table.qualified() + " AS t USING " + unnest(key) + " WHERE " + sameKey() + " AND "
                + NAME_STILL_MEANS_IT;
        check(execute(sql, key, rows));
    }

    /** @param rows of one shape, and either all deleted before or none */
    void upsert(List<NetRow> rows) throws SQLException {
        NetRow first = rows.get(0);
        List<Column> changed = table.columns().stream().filter(first::touches).toList();
        List<Column> named = new ArrayList<>(key);
        named.addAll(changed);
        boolean insertable = table.columns().stream().noneMatch(c -> c.required() && !named.contains(c));
        if (insertable || first.isDeleted()) {
            check(execute(insert(named) + onConflict(first, changed), named, rows));
        } else {
            check(updateElseInsert(first, changed, named, rows));
        }
    }

    /** An insert without a required column is refused before PostgreSQL looks whether the row is there already. */
    private int updateElseInsert(NetRow shape, List<Column> changed, List<Column> named, List<NetRow> rows)
            throws SQLException {
        int updated = 0;
        if (!changed.isEmpty()) {
            String update = "UPDATE " + table.qualified() + " AS t SET " + assignments(shape, changed, "u.") + " FROM "
                    + unnest(named) + " WHERE " + sameKey() + " AND " + NAME_STILL_MEANS_IT;
            updated = execute(update, named, rows);
        }
        if (updated == rows.size()) {
            return updated;
        }
        String insertMissing =
                insert(named) + " AND NOT EXISTS (SELECT FROM " + table.qualified() + " AS t WHERE " + sameKey() + ")";
        return updated + execute(insertMissing, named, rows);
    }

    private String insert(List<Column> named) {
        return "INSERT INTO " + table.qualified() + " AS t ("
                + named.stream().map(Column::quoted).collect(Collectors.joining(", ")) + ") SELECT "
                + named.stream().map(column -> value("u.", column)).collect(Collectors.joining(", ")) + " FROM "
                + unnest(named) + " WHERE " + NAME_STILL_MEANS_IT;
    }

    private String onConflict(NetRow shape, List<Column> changed) {
        String conflict =
                " ON CONFLICT (" + key.stream().map(Column::quoted).collect(Collectors.joining(", ")) + ") DO ";
        return changed.isEmpty()
                ? conflict + "NOTHING"
                : conflict + "UPDATE SET " + assignments(shape, changed, "EXCLUDED.");
    }

    private static String assignments(NetRow shape, List<Column> changed, String from) {
        return changed.stream()
                .map(column -> {
                    String value = value(from, column);
                    return column.quoted() + " = "
                            + (shape.adds(column) ? "coalesce(t." + column.quoted() + ", 0) + " + value : value);
                })
                .collect(Collectors.joining(", "));
    }

    private static String value(String from, Column column) {
        String name = from + column.quoted();
        return from.equals("u.") ? name + "::" + column.typeName() : name;
    }

    private String sameKey() {
        return key.stream()
                .map(column -> "t." + column.quoted() + " = " + value("u.", column))
                .collect(Collectors.joining(" AND "));
    }

    private static String unnest(List<Column> columns) {
        return columns.stream().map(column -> "?::text[]").collect(Collectors.joining(", ", "unnest(", ")")) + " AS u ("
                + columns.stream().map(Column::quoted).collect(Collectors.joining(", ")) + ")";
    }

    /** @param columns the key's first */
    private int execute(String sql, List<Column> columns, List<NetRow> rows) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < columns.size(); i++) {
                String[] texts = new String[rows.size()];
                for (int r = 0; r < texts.length; r++) {
                    NetRow row = rows.get(r);
                    texts[r] = i < key.size() ? row.key().get(i) : row.text(columns.get(i));
                }
                statement.setArray(i + 1, connection.createArrayOf("text", texts));
            }
            statement.setString(columns.size() + 1, table.name());
            statement.setLong(columns.size() + 2, table.oid());
            return statement.executeUpdate();
        }
    }

    /** That nothing was changed is either all right or because the name means another table now. */
    private void check(int changed) throws SQLException {
        if (changed > 0) {
            return;
        }
        try (PreparedStatement query = connection.prepareStatement("SELECT " + NAME_STILL_MEANS_IT)) {
            query.setString(1, table.name());
            query.setLong(2, table.oid());
            try (ResultSet row = query.executeQuery()) {
                row.next();
                if (!row.getBoolean(1)) {
                    throw new SQLException(
                            table.name() + " is not " + table.qualified() + " any more",
                            OBJECT_NOT_IN_PREREQUISITE_STATE);
                }
            }
        }
    }
}
