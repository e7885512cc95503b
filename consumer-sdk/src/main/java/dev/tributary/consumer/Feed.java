package dev.tributary.consumer;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.apache.kafka.common.TopicPartition;

/**
 * What a subscription obeys that feeds tables which can be built anew: one version of a view, beside others. Its handlers
 * find the tables of {@link #schema} by their bare names and no others, and must not publish, because a rebuild would
 * publish again.
 *
 * <p>Called by one thread per topic partition.
 */
public interface Feed {
    /** The PostgreSQL schema that the handlers' bare table names are looked up in. */
    String schema();

    /** Where it begins in a partition that it has no position in. */
    History history();

    /**
     * Whether partitions may be claimed now. Asked in the claim's transaction, so that what is locked here stays so until
     * the claim is committed.
     */
    boolean mayClaim(Connection connection) throws SQLException;

    /**
     * How long to wait before so many events are applied; asked between transactions, again after each wait, until it
     * says zero, which counts them as applied.
     */
    Duration pauseBefore(TopicPartition partition, int events);

    /** What becomes of an event that there is a handler for. */
    enum Fate {
        /** Its handler is called. */
        APPLY,
        /** It is parked, and its aggregate with it, as if its handler had failed. */
        PARK,
        /** It has no effect, and the next ones of its aggregate come as if it had had. */
        LEAVE_OUT
    }

    /** Asked about each event, in the transaction that is to apply it. */
    default Fate fate(Event<byte[]> event) {
        return Fate.APPLY;
    }

    /** The offset that nothing is applied from on, for now; {@link Long#MAX_VALUE} for none. */
    long stopBefore(TopicPartition partition);
}
