package dev.tributary.relay.flow;

import dev.tributary.outbox.wire.Position;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One committed event as its source holds it. The byte arrays go to Kafka as they are and must not be changed; texts are
 * UTF-8.
 *
 * @param position the event's place in its source's commit order
 * @param committedAt when its transaction committed, by the database's clock
 * @param sequence its number within the aggregate; 0 when it has none
 * @param headers the writer's headers, a flat JSON object; null when there are none
 */
@SuppressWarnings("ArrayRecordComponent") // never compared; the arrays are what Kafka takes
public record OutboxEvent(
        Position position,
        Instant committedAt,
        UUID id,
        String aggregateType,
        byte[] aggregateId,
        long sequence,
        byte[] type,
        byte[] contentType,
        byte[] payload,
        byte @Nullable [] headers,
        Instant occurredAt) {

    /** The same event where its place is known. */
    public OutboxEvent at(Position position) {
        if (position.equals(this.position)) {
            return this;
        }
        return new OutboxEvent(
                position,
                committedAt,
                id,
                aggregateType,
                aggregateId,
                sequence,
                type,
                contentType,
                payload,
                headers,
                occurredAt);
    }

    /** Names the event without showing its content. */
    @Override
    public String toString() {
        return "event " + id + " at " + position;
    }
}
