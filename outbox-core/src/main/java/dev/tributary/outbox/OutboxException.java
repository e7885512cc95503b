package dev.tributary.outbox;

import org.jspecify.annotations.Nullable;

/** Root of what this library throws of its own; what the database refuses stays a {@link java.sql.SQLException}. */
public class OutboxException extends RuntimeException {
    public OutboxException(String message) {
        super(message);
    }

    public OutboxException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
