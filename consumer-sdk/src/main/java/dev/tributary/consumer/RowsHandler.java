package dev.tributary.consumer;

import dev.tributary.consumer.rows.Rows;

/**
 * Applies events of one type to the view by declaring row operations, which the subscription collapses per key and
 * sends as few statements as possible.
 *
 * <p>Called as {@link EventHandler} is.
 *
 * @param <T> the payload's type
 */
@FunctionalInterface
public interface RowsHandler<T> {
    /**
     * Declares what the event changes and does nothing else. What other handlers do on the transaction's connection
     * comes after the operations declared before, and before those declared later.
     *
     * @throws Exception as {@link EventHandler#handle}
     */
    void handle(Event<T> event, Rows rows) throws Exception;
}
