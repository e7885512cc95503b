package dev.tributary.consumer.view;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A row of a view that is not what its events make of it. Values are PostgreSQL's texts, null for SQL's null. Immutable.
 *
 * @param key the primary key's columns; all compared columns if the table has none
 * @param columns those that differ; of a row that one side lacks, all that are compared
 * @param events the last events of the aggregates that the row names, oldest first: at most {@link #EVENTS_MAX}
 */
public record RowDifference(
        String table,
        Kind kind,
        Map<String, @Nullable String> key,
        List<ColumnDifference> columns,
        List<EventTrace> events) {
    /** How many events are told of for a row. */
    public static final int EVENTS_MAX = 20;

    /** What is wrong with the live table. */
    public enum Kind {
        /** It lacks the row. */
        MISSING,
        /** It has a row that it should not have. */
        EXTRA,
        /** It has the row, with other values. */
        DIFFERENT
    }

    /**
     * A column's two values.
     *
     * @param live what readers see; null also if there is no such row
     * @param rebuilt what the events make of it; null also if they make no such row
     */
    public record ColumnDifference(
            String column, @Nullable String live, @Nullable String rebuilt) {}

    public RowDifference {
        key = Collections.unmodifiableMap(new LinkedHashMap<>(key));
        columns = List.copyOf(columns);
        events = List.copyOf(events);
    }
}
