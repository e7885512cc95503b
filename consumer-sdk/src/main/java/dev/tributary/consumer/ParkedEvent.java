package dev.tributary.consumer;

import java.time.Instant;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * An event that is set aside, as it came. Immutable as far as its bytes are.
 *
 * @param number names it; a later one of the same aggregate has a greater number
 * @param id the event's id, unique within its source
 * @param record what it came in: key, payload, headers, topic, partition, offset and time as they were
 * @param failure what is wrong with it; null if it only waits for earlier ones
 * @param parkedAt when it was parked
 */
public record ParkedEvent(
        long number,
        Aggregate aggregate,
        String id,
        String type,
        @Nullable Long sequence,
        @Nullable String position,
        ConsumerRecord<byte[], byte[]> record,
        @Nullable Failure failure,
        Instant parkedAt) {

    /**
     * Why the event could not be applied.
     *
     * @param error in a line or a few, cut where it is long
     * @param stack null if there is none to show; cut where it is long
     * @param attempts how often its handler has been tried; 0 if it was not
     */
    public record Failure(String error, @Nullable String stack, int attempts) {}
}
