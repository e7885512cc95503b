package dev.tributary.consumer.rows;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
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
    private final Map<Long, NetTable> tables = new HashMap<>();
    private final List<NetTable> deletes = new ArrayList<>();
    private final List<NetTable> upserts = new ArrayList<>();
    /** The next operation is mostly on the same one. */
    private @Nullable NetTable latest;
    /** Whose deletes, which reach other tables, are all that is in here; null if there are none like that. */
    private @Nullable Table reachingDeletes;

    private boolean complete;

    private static final class NetTable {
        private final Table table;
        private final List<Column> key;
        private final Map<List<String>, NetRow> rows = new LinkedHashMap<>();
        private boolean deletes;
        private boolean upserts;

        NetTable(Table table, List<Column> key) {
            this.table = table;
            this.key = key;
        }
    }

    /**
     * Adds an operation.
     *
     * @return false if it has to come after what is in here already, which is sent for itself then
     * @throws IllegalArgumentException if there cannot be such an operation on this table
     */
    boolean fold(Table table, Operation operation) throws SQLException {
        Key key = table.key(operation.key());
        NetTable known = known(table);
        if (latest != null && mustComeAfter(known, table, key, operation)) {
            return false;
        }
        NetTable netTable = known != null ? known : add(table, key);
        List<String> keyTexts = key.texts(operation.key());
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
            if (!netTable.deletes) {
                netTable.deletes = true;
                deletes.add(netTable);
            }
        } else {
            upsert(row, table, key, operation);
            if (!netTable.upserts) {
                netTable.upserts = true;
                upserts.add(netTable);
            }
        }
        latest = netTable;
        complete = standsAlone(table, key);
        reachingDeletes = operation.deletes() && table.deletesReach() ? table : null;
        return true;
    }

    private @Nullable NetTable known(Table table) {
        NetTable last = latest;
        return last != null && last.table.oid() == table.oid() ? last : tables.get(table.oid());
    }

    private NetTable add(Table table, Key key) {
        NetTable added = new NetTable(table, key.columns());
        tables.put(table.oid(), added);
        return added;
    }

    /** Whether the order of this operation and those before may matter to other rows than its own. */
    private boolean mustComeAfter(@Nullable NetTable known, Table table, Key key, Operation operation) {
        boolean reaches = operation.deletes() && table.deletesReach();
        boolean deletesDisagree = reaches ? reachingDeletes != table : reachingDeletes != null;
        boolean addressedOtherwise = known != null && (known.table != table || !known.key.equals(key.columns()));
        return complete || deletesDisagree || addressedOtherwise || standsAlone(table, key);
    }

    private static boolean standsAlone(Table table, Key key) {
        return table.updatesReach() || !key.isTellable();
    }

    private static boolean canFold(NetRow row, Table table, Operation operation) throws SQLException {
        for (Cell cell : operation.cells()) {
            if (cell.adds() && !row.canIncrease(table.column(cell.column()))) {
                return false;
            }
        }
        return true;
    }

    private static void upsert(NetRow row, Table table, Key key, Operation operation) throws SQLException {
        for (Cell cell : operation.cells()) {
            Column column = table.column(cell.column());
            if (key.columns().contains(column)) {
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
        for (NetTable each : deletes) {
            List<NetRow> rows =
                    each.rows.values().stream().filter(NetRow::isDeleted).toList();
            new Statements(connection, each.table, each.key).delete(rows);
        }
        for (NetTable each : upserts) {
            for (List<NetRow> rows : alike(each.rows.values())) {
                new Statements(connection, each.table, each.key).upsert(rows);
            }
        }
    }

    /** The rows to be written, those together that one statement can write. */
    private static Collection<List<NetRow>> alike(Collection<NetRow> rows) {
        Map<String, List<NetRow>> alike = new LinkedHashMap<>();
        List<NetRow> latest = List.of();
        for (NetRow row : rows) {
            if (row.isWritten()) {
                if (latest.isEmpty() || !latest.get(0).isLike(row)) {
                    latest = alike.computeIfAbsent(row.shape(), shape -> new ArrayList<>());
                }
                latest.add(row);
            }
        }
        return alike.values();
    }
}
