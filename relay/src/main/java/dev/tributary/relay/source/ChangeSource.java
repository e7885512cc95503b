package dev.tributary.relay.source;

import dev.tributary.relay.flow.ChangeListener;
import java.sql.SQLException;
import java.time.Duration;

/**
 * Reads one source's committed events in commit order, each with its final position: an engine that learns a
 * transaction's place only at its end holds the events back until then. Used by one thread.
 */
public interface ChangeSource extends AutoCloseable {
    /**
     * Hands over what the next message from the server holds, without waiting for one.
     *
     * @return false if no message was there
     */
    boolean poll(ChangeListener listener) throws SQLException;

    /** Waits until the server may have sent something, or {@code atMost} has passed. */
    void await(Duration atMost) throws SQLException;

    /** Has the server told, within about a second, that nothing up to {@code lsn} will be asked for again. */
    void confirm(long lsn);

    /**
     * Up to where the server has looked: nothing that committed at or before this LSN is still to come. Meaningful when
     * {@link #poll} has just returned false; -1 while a transaction is being handed over.
     */
    long caughtUpTo();

    /**
     * A server that says it has sent beyond this, while nothing arrives, has sent it in vain. While a transaction is being
     * handed over: where that one committed, since the server counts it as sent only as a whole.
     */
    default long arrivedUpTo() {
        return caughtUpTo();
    }

    @Override
    void close();
}
