package dev.tributary.relay.source;

import dev.tributary.relay.flow.RelayException;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Where an event table's columns stand in its rows. Columns are found by name, so their order is free and further
 * columns are no harm.
 */
record RelationLayout(String table, Map<Column, Integer> index) {

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
        OCCURRED_AT;

        private final String sqlName = name().toLowerCase(Locale.ROOT);
    }

    static RelationLayout of(String table, List<String> columns) {
        Map<Column, Integer> index = new EnumMap<>(Column.class);
        for (Column column : Column.values()) {
            int at = columns.indexOf(column.sqlName);
            if (at < 0) {
                throw new RelayException.Stopped(
                        "table " + table + " has no column " + column.sqlName + "; it has " + columns,
                        "restore the column (`init --dry-run` prints the table), then restart the relay",
                        null);
            }
            index.put(column, at);
        }
        return new RelationLayout(table, index);
    }

    int indexOf(Column column) {
        Integer at = index.get(column);
        if (at == null) {
            throw new IllegalStateException("no layout known");
        }
        return at;
    }
}
