package dev.tributary.consumer;

import dev.tributary.outbox.wire.Position;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One partition of one instance at one moment.
 *
 * @param topic the topic
 * @param partition its partition
 * @param state what is being done about it
 * @param since when it entered that state
 * @param reason why, in a sentence; empty when there is nothing to say
 * @param remedy what an operator can do about it; empty when nothing is needed
 * @param nextOffset the offset that the view wants next, as committed in its database; null before the partition is opened
 * @param positions per source, the position up to which the view includes this partition's events
 * @param lag records in Kafka that are not in the view yet; null when not known yet
 * @param counters what this instance has done with it
 */
public record PartitionStatus(
        String topic,
        int partition,
        State state,
        Instant since,
        String reason,
        String remedy,
        @Nullable Long nextOffset,
        Map<String, Position> positions,
        @Nullable Long lag,
        SubscriptionStatus.Counters counters) {
    /** What is being done about a partition. */
    public enum State {
        /** Being claimed in the database and found in Kafka. */
        OPENING,
        /** Events are applied as they come. */
        RUNNING,
        /** Waits for something to pass, such as a restarting database; goes on by itself. */
        RETRYING,
        /** Stopped for a named reason; goes on within seconds once the remedy is applied, or restarts with it. */
        STOPPED
    }
}
