package dev.tributary.outbox;

import org.jspecify.annotations.Nullable;

/**
 * An event, or the way it was published, is not acceptable; the message says why and what to do instead. Nothing was
 * written and the transaction is as it was. Trying again without a change fails again.
 */
public final class EventRejectedException extends OutboxException {
    public EventRejectedException(String message) {
        super(message);
    }

    EventRejectedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
