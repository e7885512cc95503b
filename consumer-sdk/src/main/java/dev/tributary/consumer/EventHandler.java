package dev.tributary.consumer;

import java.sql.Connection;

/**
 * Applies events of one type to the view.
 *
 * <p>Called by one thread per topic partition, so for several partitions at a time; for one aggregate, in order.
 *
 * @param <T> the payload's type
 */
@FunctionalInterface
public interface EventHandler<T> {
    /**
     * Changes the view on {@code connection}, in the transaction that also remembers the event as applied, and does
     * nothing outside it: when the transaction is rolled back, the event comes again. The connection is the
     * subscription's: committing, rolling back (other than to a savepoint) and closing it are refused.
     *
     * @throws Exception what went wrong; connection losses, serialization failures, deadlocks and timeouts are tried
     *     again until they pass, after anything else the event's aggregate is parked
     */
    void handle(Event<T> event, Connection connection) throws Exception;
}
