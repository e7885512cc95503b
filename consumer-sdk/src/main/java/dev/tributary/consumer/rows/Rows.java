package dev.tributary.consumer.rows;

/**
 * What a handler declares row operations with. They take effect in the order in which they were declared, as if each
 * were a statement of its own, but later: at the latest at the end of the batch, and before a handler that uses a plain
 * {@link java.sql.Connection} runs. So an operation that the database refuses does not fail in the handler; it is the
 * event that counts as failed all the same.
 *
 * <p>Only valid, and only to be used, within the call of the handler and by its thread.
 */
public interface Rows {
    /**
     * Begins an operation on a row, to be ended with {@link Row#upsert} or {@link Row#delete}.
     *
     * @param table its name as in SQL: found through the {@code search_path} unless qualified, in lower case unless quoted
     */
    Row table(String table);
}
