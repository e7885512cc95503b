package dev.tributary.relay.source;

import dev.tributary.relay.flow.RelayException;
import java.util.Arrays;
import java.util.List;

/**
 * Where an event table's columns stand in its rows. Columns are found by name, so their order is free and further
 * columns are no harm.
 *
 * @param index for each of {@link Column} its place in a row
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record RelationLayout(String table, int[] index) {

    /** The columns of an event table that the relay reads. */
    enum Column {
        ID,
        AGGREGATE_TYPE,
        AGGREGATE_ID,
        SEQUENCE,
        TYPE,
        CONTENT_TYPE,
        PAYLOAD,
        HEADERS,
        OCCURRED_AT
    }

    static RelationLayout of(String table, List<String> columns) {
        int[] index = new int[Column.values().length];
        for (Column column : Column.values()) {
            int at = columns.indexOf(column.name().toLowerCase(java.util.Locale.ROOT));
            if (at < 0) {
                throw new RelayException.Stopped(
                        "table " + table + " has no column " + column.name().toLowerCase(java.util.Locale.ROOT)
                                + "; it has " + columns,
                        "restore the column (`init --dry-run` prints the table), then restart the relay",
                        null);
            }
            index[column.ordinal()] = at;
        }
        return new RelationLayout(table, index);
    }

    int indexOf(Column column) {
        return index[column.ordinal()];
    }

    @Override
    public String toString() {
        return table + Arrays.toString(index);
    }
}
