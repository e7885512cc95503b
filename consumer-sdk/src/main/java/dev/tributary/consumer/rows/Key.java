package dev.tributary.consumer.rows;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/** The columns that operations name a table's rows by. Immutable. */
final class Key {
    private final List<String> written;
    private final List<Column> columns;
    /** Where among {@link #columns} each of the written ones is. */
    private final int[] places;

    private final boolean tellable;

    /**
     * @param written the columns as an operation names them
     * @param columns the same columns in the same order
     */
    Key(List<String> written, List<Column> columns) {
        this.written = List.copyOf(written);
        this.columns =
                columns.stream().sorted(Comparator.comparing(Column::index)).toList();
        places = columns.stream().mapToInt(this.columns::indexOf).toArray();
        tellable = columns.stream().allMatch(column -> column.type().isTellable());
    }

    /** By their place in the table. */
    List<Column> columns() {
        return columns;
    }

    /** Whether {@link #texts} are the same for all values that the database takes for one. */
    boolean isTellable() {
        return tellable;
    }

    /** Whether these cells name the same columns in the same words and order. */
    boolean isOf(List<Cell> cells) {
        if (cells.size() != written.size()) {
            return false;
        }
        for (int i = 0; i < cells.size(); i++) {
            if (!cells.get(i).column().equals(written.get(i))) {
                return false;
            }
        }
        return true;
    }

    /**
     * The one text of each of the values, in the order of {@link #columns}.
     *
     * @param cells which it {@link #isOf}
     * @throws IllegalArgumentException if a value cannot be one of its column
     */
    List<String> texts(List<Cell> cells) {
        String[] texts = new String[places.length];
        for (int i = 0; i < places.length; i++) {
            Cell cell = cells.get(i);
            ColumnType type = columns.get(places[i]).type();
            try {
                texts[places[i]] = type.keyText(Objects.requireNonNull(cell.value(), cell.column()));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("key column " + cell.column() + ": " + e.getMessage(), e);
            }
        }
        return texts.length == 1 ? List.of(texts[0]) : Arrays.asList(texts);
    }
}
