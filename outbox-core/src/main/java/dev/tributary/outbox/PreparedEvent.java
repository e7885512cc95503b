package dev.tributary.outbox;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An event in the shape of its table row; only its sequence is not known yet.
 *
 * @param headers a flat JSON object, or null without headers
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record PreparedEvent(
        NewEvent event,
        UUID id,
        String type,
        String contentType,
        byte[] payload,
        @Nullable String headers) {}
