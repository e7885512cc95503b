package dev.tributary.consumer.rows;

import java.util.List;
import java.util.stream.Collectors;

/**
 * A row operation as declared.
 *
 * @param event whose operation it is, as an index into the batch
 * @param deletes whether it deletes the row, instead of changing or inserting it
 */
record Operation(int event, String table, List<Cell> key, List<Cell> cells, boolean deletes) {

    /** For messages. */
    @Override
    public String toString() {
        return (deletes ? "delete" : "upsert") + " on " + table
                + key.stream()
                        .map(cell -> cell.column() + " = " + cell.value())
                        .collect(Collectors.joining(", ", " (", ")"));
    }
}
