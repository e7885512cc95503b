package dev.tributary.consumer.rows;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a batch's operations on one row come to: delete it, or not, and then insert or change it, or not. */
final class NetRow {
    private static final byte UNTOUCHED = '-';
    private static final byte SET = '=';
    private static final byte ADD = '+';

    private final List<String> key;
    private final byte[] kinds;
    private final @Nullable Object[] values;
    private boolean deleted;
    private boolean written;

    /** @param columns how many the table has */
    NetRow(List<String> key, int columns) {
        this.key = key;
        kinds = new byte[columns];
        Arrays.fill(kinds, UNTOUCHED);
        values = new Object[columns];
    }

    List<String> key() {
        return key;
    }

    boolean isDeleted() {
        return deleted;
    }

    boolean isWritten() {
        return written;
    }

    /** Whether the same columns are changed in the same ways, after a delete or without one. */
    boolean isLike(NetRow other) {
        return deleted == other.deleted && Arrays.equals(kinds, other.kinds);
    }

    /** Equal for rows that are alike. */
    String shape() {
        return (deleted ? "new " : "") + new String(kinds, StandardCharsets.US_ASCII);
    }

    boolean touches(Column column) {
        return kinds[column.index()] != UNTOUCHED;
    }

    boolean adds(Column column) {
        return kinds[column.index()] == ADD;
    }

    @Nullable
    String text(Column column) {
        Object value = values[column.index()];
        return value == null ? null : value.toString();
    }

    void delete() {
        deleted = true;
        written = false;
        Arrays.fill(kinds, UNTOUCHED);
        Arrays.fill(values, null);
    }

    /** To be called last, when all its columns are set and increased. */
    void write() {
        written = true;
    }

    void set(Column column, @Nullable Object value) {
        kinds[column.index()] = SET;
        values[column.index()] = ValueText.of(column.type(), value);
    }

    /** Whether {@link #increase} can tell what comes of it; it cannot if the column's default would have to be known. */
    boolean canIncrease(Column column) {
        return touches(column) || !written || column.startsAtZero();
    }

    void increase(Column column, BigDecimal delta) {
        int index = column.index();
        if (kinds[index] == UNTOUCHED) {
            kinds[index] = deleted ? SET : ADD;
            values[index] = delta;
        } else {
            Object old = values[index];
            values[index] = old == null ? delta : column.type().number(old).add(delta);
        }
    }
}
