package dev.tributary.consumer.rows;

import org.jspecify.annotations.Nullable;

/**
 * A column of a table in use.
 *
 * @param index its place among the table's columns
 * @param quoted its name for SQL
 * @param typeName its type's name for SQL, qualified, without a length or precision
 * @param required whether an insert fails that does not name it
 * @param generated whether nobody but the database can set it
 * @param defaultValue the expression; null if there is none
 */
record Column(
        int index,
        String name,
        String quoted,
        String typeName,
        ColumnType type,
        boolean required,
        boolean generated,
        @Nullable String defaultValue) {

    /** Whether a new row has 0 or null in it unless told otherwise. */
    boolean startsAtZero() {
        return defaultValue == null || defaultValue.matches("\\(?'?0+(\\.0+)?'?\\)?(::[a-z ]+)?");
    }
}
