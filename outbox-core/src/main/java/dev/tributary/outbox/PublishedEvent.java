package dev.tributary.outbox;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An event as it was written. It exists for others only once the caller's transaction commits.
 *
 * @param id UUID version 7, unique and growing within the process
 * @param sequence its number within its aggregate, from 1; null for an unsequenced event
 */
public record PublishedEvent(
        UUID id,
        String aggregateType,
        String aggregateId,
        @Nullable Long sequence) {}
