package dev.tributary.relay.flow;

import java.time.Instant;

/** Hears what a source has committed, in commit order. */
public interface ChangeListener {
    /** An event of the transaction that is being handed over. */
    void event(OutboxEvent event);

    /**
     * The transaction is complete.
     *
     * @param endLsn may be confirmed to the database once all of the transaction's events are in Kafka
     */
    void committed(long endLsn, Instant committedAt);
}
