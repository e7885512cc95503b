package dev.tributary.consumer;

/** A subscription cannot be what it was asked to be; the message says what to change. */
public class SubscriptionException extends RuntimeException {
    public SubscriptionException(String message) {
        super(message);
    }

    public SubscriptionException(String message, Throwable cause) {
        super(message, cause);
    }
}
