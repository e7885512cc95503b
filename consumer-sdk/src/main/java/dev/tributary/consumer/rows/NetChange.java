package dev.tributary.consumer.rows;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What some operations, one after the other, come to: per table and key a delete, an upsert, or both. All deletes are
 * sent first, then all upserts. That ends in the same rows, but on the way it may violate constraints that the
 * operations one by one would not; then the database refuses it. Not thread-safe.
 */
final class NetChange {
    private final Map<Long, NetTable> tables = new LinkedHashMap<>();
    private final Map<Long, NetTable> deletes = new LinkedHashMap<>();
    private final Map<Long, NetTable> upserts = new LinkedHashMap<>();
    /** Whose deletes, which reach other tables, are all that is in here; null if there are none like that. */
    private @Nullable Table reachingDeletes;

    private boolean complete;

    private record NetTable(Table table, List<Column> key, Map<List<String>, NetRow> rows) {}

    /**
     * Adds an operation.
     *
     * @return false if it has to come after what is in here already, which is sent for itself then
     * @throws IllegalArgumentException if there cannot be such an operation on this table
     */
    boolean fold(Table table, Operation operation) throws SQLException {
        List<Column> key = table.key(operation.key());
        if (!tables.isEmpty() && mustComeAfter(table, key, operation)) {
            return false;
        }
        NetTable netTable = tables.computeIfAbsent(table.oid(), oid -> new NetTable(table, key, new LinkedHashMap<>()));
        List<String> keyTexts = keyTexts(table, key, operation);
        NetRow row = netTable.rows.get(keyTexts);
        if (row == null) {
            row = new NetRow(keyTexts, table.columns().size());
        } else if (!canFold(row, table, operation)) {
            return false;
        } else {
            // To the end: whoever takes over a unique value comes after the one who gives it up
            netTable.rows.remove(keyTexts);
        }
        netTable.rows.put(keyTexts, row);
        if (operation.deletes()) {
            row.delete();
            deletes.putIfAbsent(table.oid(), netTable);
        } else {
            upsert(row, table, key, operation);
            upserts.putIfAbsent(table.oid(), netTable);
        }
        complete = table.updatesReach()
                || key.stream().anyMatch(column -> !column.type().isTellable());
        reachingDeletes = operation.deletes() && table.deletesReach() ? table : null;
        return true;
    }

    /** Whether the order of this operation and those before may matter to other rows than its own. */
    private boolean mustComeAfter(Table table, List<Column> key, Operation operation) {
        boolean reaches = operation.deletes() && table.deletesReach();
        boolean deletesDisagree = reaches ? reachingDeletes != table : reachingDeletes != null;
        NetTable known = tables.get(table.oid());
        boolean addressedOtherwise = known != null && (known.table != table || !known.key.equals(key));
        return complete || deletesDisagree || addressedOtherwise || standsAlone(table, key);
    }

    private static boolean standsAlone(Table table, List<Column> key) {
        return table.updatesReach()
                || key.stream().anyMatch(column -> !column.type().isTellable());
    }

    private static List<String> keyTexts(Table table, List<Column> key, Operation operation) throws SQLException {
        String[] texts = new String[key.size()];
        for (Cell cell : operation.key()) {
            Column column = table.column(cell.column());
            Object value = Objects.requireNonNull(cell.value(), cell.column());
            try {
                texts[key.indexOf(column)] = column.type().keyText(value);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("key column " + cell.column() + ": " + e.getMessage(), e);
            }
        }
        return List.of(texts);
    }

    private static boolean canFold(NetRow row, Table table, Operation operation) throws SQLException {
        for (Cell cell : operation.cells()) {
            if (cell.adds() && !row.canIncrease(table.column(cell.column()))) {
                return false;
            }
        }
        return true;
    }

    private static void upsert(NetRow row, Table table, List<Column> key, Operation operation) throws SQLException {
        for (Cell cell : operation.cells()) {
            Column column = table.column(cell.column());
            if (key.contains(column)) {
                throw new IllegalArgumentException(
                        "column " + cell.column() + " is part of the key; name it only there");
            }
            try {
                apply(row, column, cell);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("column " + cell.column() + ": " + e.getMessage(), e);
            }
        }
        row.write();
    }

    private static void apply(NetRow row, Column column, Cell cell) {
        if (!cell.adds()) {
            row.set(column, cell.value());
        } else if (column.type().isNumeric()) {
            row.increase(column, column.type().number(Objects.requireNonNull(cell.value(), cell.column())));
        } else {
            throw new IllegalArgumentException(
                    "it is of type " + column.typeName() + ", and only numbers can be incremented");
        }
    }

    /** @throws SQLException the database refuses it; the transaction has to be rolled back */
    void send(Connection connection) throws SQLException {
        for (NetTable each : deletes.values()) {
            List<NetRow> rows =
                    each.rows.values().stream().filter(NetRow::isDeleted).toList();
            new Statements(connection, each.table, each.key).delete(rows);
        }
        for (NetTable each : upserts.values()) {
            Map<String, List<NetRow>> alike = new LinkedHashMap<>();
            for (NetRow row : each.rows.values()) {
                if (row.isWritten()) {
                    alike.computeIfAbsent((row.isDeleted() ? "new " : "") + row.shape(), shape -> new ArrayList<>())
                            .add(row);
                }
            }
            for (List<NetRow> rows : alike.values()) {
                new Statements(connection, each.table, each.key).upsert(rows);
            }
        }
    }
}
