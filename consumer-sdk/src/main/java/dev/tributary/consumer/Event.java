package dev.tributary.consumer;

import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.WireHeaders;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One event as a handler gets it. Immutable as far as its payload is.
 *
 * @param <T> the payload's type, as registered for the event's type
 * @param id the event's id, unique within its source; with {@code #1}, {@code #2}, ... added if an upcaster has split the
 *     event that was written
 * @param source the source's name, such as {@code sales}; a foreign producer's {@code ce_source} as it is
 * @param type {@code name.vN}, after upcasting
 * @param originalType the type that it was written as
 * @param aggregateType what the event is about; empty when a foreign producer does not say
 * @param aggregateId which one; events of one aggregate are handled in the order that they were committed in
 * @param sequence the event's number within its aggregate, from 1; null for unsequenced events
 * @param position the event's place in its source's commit order; null for foreign producers' events
 * @param time when it occurred; the record's timestamp if a foreign producer does not say
 * @param headers the writer's own headers, and the wire's for tracing and correlation, by their names on the wire
 * @param payload what happened
 * @param topic the Kafka topic that it came from
 * @param partition the topic's partition
 * @param offset the record's offset
 */
public record Event<T>(
        String id,
        String source,
        String type,
        String originalType,
        String aggregateType,
        String aggregateId,
        @Nullable Long sequence,
        @Nullable Position position,
        Instant time,
        Map<String, String> headers,
        T payload,
        String topic,
        int partition,
        long offset) {

    /** What the writer groups a conversation of events by, if it said. */
    public @Nullable String correlationId() {
        return headers.get(WireHeaders.CORRELATION_ID);
    }

    /** The id of the event or command that caused this one, if the writer said. */
    public @Nullable String causationId() {
        return headers.get(WireHeaders.CAUSATION_ID);
    }

    /** This event as another: what upcasting and reading its payload make of it. */
    <U> Event<U> become(String newId, String newType, U newPayload) {
        return new Event<>(
                newId,
                source,
                newType,
                originalType,
                aggregateType,
                aggregateId,
                sequence,
                position,
                time,
                headers,
                newPayload,
                topic,
                partition,
                offset);
    }

    /** The writer's W3C trace context, if it had one. */
    public @Nullable String traceParent() {
        return headers.get(WireHeaders.TRACE_PARENT);
    }
}
