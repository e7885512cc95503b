package dev.tributary.consumer.view;

import dev.tributary.consumer.view.ComparedTable.Column;
import dev.tributary.consumer.view.RowDifference.ColumnDifference;
import dev.tributary.consumer.view.RowDifference.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A row that is not the same in both schemas, whole: its compared columns as texts; null where there is no such row. */
final class DriftedRow {
    private final ComparedTable table;
    private final @Nullable String @Nullable [] live;
    private final @Nullable String @Nullable [] rebuilt;

    DriftedRow(ComparedTable table, @Nullable String @Nullable [] live, @Nullable String @Nullable [] rebuilt) {
        this.table = table;
        this.live = live;
        this.rebuilt = rebuilt;
    }

    ComparedTable table() {
        return table;
    }

    Kind kind() {
        return live == null ? Kind.MISSING : rebuilt == null ? Kind.EXTRA : Kind.DIFFERENT;
    }

    /** The key's values, in the key's order. */
    List<@Nullable String> key() {
        List<@Nullable String> key = new ArrayList<>();
        for (Column column : table.key()) {
            key.add(present()[table.columns().indexOf(column)]);
        }
        return key;
    }

    private @Nullable String[] present() {
        return live != null ? live : Objects.requireNonNull(rebuilt);
    }

    /** All that either side has in it. */
    Stream<String> values() {
        return Stream.of(live, rebuilt)
                .filter(Objects::nonNull)
                .flatMap(Arrays::stream)
                .filter(Objects::nonNull);
    }

    /** The columns that differ; all if one side lacks the row. */
    List<Column> differing() {
        List<Column> differing = new ArrayList<>();
        for (int i = 0; i < table.columns().size(); i++) {
            if (live == null || rebuilt == null || !Objects.equals(live[i], rebuilt[i])) {
                differing.add(table.columns().get(i));
            }
        }
        return differing;
    }

    RowDifference described(List<EventTrace> events) {
        Map<String, @Nullable String> key = new LinkedHashMap<>();
        List<@Nullable String> values = key();
        for (int i = 0; i < values.size(); i++) {
            key.put(table.key().get(i).name(), values.get(i));
        }
        List<ColumnDifference> columns = new ArrayList<>();
        for (Column column : differing()) {
            int i = table.columns().indexOf(column);
            columns.add(new ColumnDifference(
                    column.name(), live == null ? null : live[i], rebuilt == null ? null : rebuilt[i]));
        }
        return new RowDifference(table.name(), kind(), key, columns, events);
    }
}
