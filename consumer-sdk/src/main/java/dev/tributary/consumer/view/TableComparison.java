package dev.tributary.consumer.view;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Compares the tables of two schemas row by row, reading both in the order of their keys, so that neither side is ever in
 * memory. What it finds adds up over tables.
 */
final class TableComparison {
    private final Connection live;
    private final String liveSchema;
    private final Connection rebuilt;
    private final String rebuiltSchema;
    private final int keptMax;
    private final List<DriftedRow> kept = new ArrayList<>();
    private final List<TableResult> results = new ArrayList<>();

    /**
     * Compares what these two see.
     *
     * @param live in a transaction whose snapshot stays; nothing is written in it
     * @param rebuilt as well, another connection
     * @param keptMax how many rows that differ are kept; all are counted
     */
    TableComparison(Connection live, String liveSchema, Connection rebuilt, String rebuiltSchema, int keptMax) {
        this.live = live;
        this.liveSchema = liveSchema;
        this.rebuilt = rebuilt;
        this.rebuiltSchema = rebuiltSchema;
        this.keptMax = keptMax;
    }

    /** Compares one table, with all its columns but those left out. */
    void compare(String name, Set<String> leftOut) throws SQLException {
        compare(ComparedTable.of(name, live, liveSchema, rebuilt, rebuiltSchema, leftOut));
    }

    /**
     * Compares what a table has in both schemas.
     *
     * @return false if that is nothing
     */
    boolean compareCommon(String name, Set<String> leftOut) throws SQLException {
        ComparedTable table = ComparedTable.common(name, live, liveSchema, rebuilt, rebuiltSchema, leftOut);
        if (table != null) {
            compare(table);
        }
        return table != null;
    }

    private void compare(ComparedTable table) throws SQLException {
        KeyOrder order = new KeyOrder(table);
        long rows = 0;
        long missing = 0;
        long extra = 0;
        long different = 0;
        try (RowStream ours = new RowStream(live, liveSchema, table);
                RowStream theirs = new RowStream(rebuilt, rebuiltSchema, table)) {
            while (ours.row() != null || theirs.row() != null) {
                int which = which(order, ours.row(), theirs.row());
                if (which == 0 && Arrays.equals(ours.row(), theirs.row())) {
                    rows++;
                } else {
                    keep(new DriftedRow(table, which <= 0 ? ours.row() : null, which >= 0 ? theirs.row() : null));
                    rows += which <= 0 ? 1 : 0;
                    missing += which > 0 ? 1 : 0;
                    extra += which < 0 ? 1 : 0;
                    different += which == 0 ? 1 : 0;
                }
                if (which <= 0) {
                    ours.advance();
                }
                if (which >= 0) {
                    theirs.advance();
                }
            }
        }
        results.add(new TableResult(table.name(), rows, missing, extra, different));
    }

    /** Negative if the next key is in ours only, positive if it is in theirs only. */
    private static int which(KeyOrder order, @Nullable String @Nullable [] ours, @Nullable String @Nullable [] theirs) {
        if (ours == null || theirs == null) {
            return ours == null ? 1 : -1;
        }
        return order.compare(Objects.requireNonNull(ours), Objects.requireNonNull(theirs));
    }

    private void keep(DriftedRow row) {
        if (kept.size() < keptMax) {
            kept.add(row);
        }
    }

    /** The rows that differ, the first of them. */
    List<DriftedRow> kept() {
        return kept;
    }

    /** Table by table. */
    List<TableResult> results() {
        return results;
    }
}
