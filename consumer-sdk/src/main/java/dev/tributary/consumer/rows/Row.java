package dev.tributary.consumer.rows;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One operation on one row. Column names are as in SQL: in lower case unless quoted. Values may be text, numbers,
 * booleans, enums, {@link java.util.UUID}, {@code java.time} types, {@code byte[]}, Jackson's {@code JsonNode}, collections and
 * object arrays for array columns, and null; they become what the column's type makes of their text.
 *
 * <p>Not thread-safe.
 */
public final class Row {
    private final String table;
    private final int event;
    private final Consumer<Operation> onDeclared;
    private final List<Cell> key = new ArrayList<>(2);
    private final List<Cell> cells = new ArrayList<>(6);

    Row(String table, int event, Consumer<Operation> onDeclared) {
        this.table = Objects.requireNonNull(table, "table");
        this.event = event;
        this.onDeclared = onDeclared;
    }

    /** A column of the row's key, on whose columns together the table must have a unique index; not null. */
    public Row key(String column, Object value) {
        if (value == null) {
            throw new IllegalArgumentException("row operation on " + table + ": key column " + column + " is null");
        }
        key.add(new Cell(column, value, false));
        return this;
    }

    /** What a column shall be. */
    public Row set(String column, @Nullable Object value) {
        cells.add(new Cell(column, value, false));
        return this;
    }

    /**
     * What a numeric column shall grow by. A new row gets {@code delta} itself; null counts as zero.
     *
     * @param delta rounded to the column's scale if it has one
     */
    public Row increment(String column, Number delta) {
        if (delta == null) {
            throw new IllegalArgumentException("row operation on " + table + ": delta of " + column + " is null");
        }
        cells.add(new Cell(column, delta, true));
        return this;
    }

    /** Changes the named columns of the row, and no others; inserts the row if it is not there, others at their defaults. */
    public void upsert() {
        declare(false);
    }

    /** Deletes the row if it is there. */
    public void delete() {
        if (!cells.isEmpty()) {
            throw new IllegalArgumentException(
                    "row operation on " + table + ": a delete takes nothing but the key, not "
                            + cells.get(0).column());
        }
        declare(true);
    }

    private void declare(boolean deletes) {
        if (key.isEmpty()) {
            throw new IllegalArgumentException(
                    "row operation on " + table + " has no key; name its columns with key(...)");
        }
        onDeclared.accept(new Operation(event, table, key, cells, deletes));
    }
}
