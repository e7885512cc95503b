package dev.tributary.outbox;

import java.time.Instant;
import java.util.Map;

/**
 * An event of the event store as it is read today.
 *
 * @param id the event's id; with {@code #1}, {@code #2}, ... behind it if an upcaster made several events of one
 * @param sequence its number within its aggregate, from 1; the same for all that an upcaster made of one
 * @param type its current type, {@code name.vN}
 * @param payload an object of the class registered for that type; {@code byte[]} if none is and it is not JSON
 * @param headers the writer's headers by name, without order
 * @param occurredAt when it was appended, by the database's clock
 */
public record StoredEvent(
        String id,
        String aggregateType,
        String aggregateId,
        long sequence,
        String type,
        Object payload,
        Map<String, String> headers,
        Instant occurredAt) {}
