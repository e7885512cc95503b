package dev.tributary.outbox.schema;

import dev.tributary.outbox.OutboxException;
import org.jspecify.annotations.Nullable;

/**
 * A payload is not what its type says, or upcasters do not fit together; the message names the type and, within a
 * payload, the path. Trying again without a change fails again.
 */
public final class SchemaException extends OutboxException {
    public SchemaException(String message) {
        super(message);
    }

    public SchemaException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
