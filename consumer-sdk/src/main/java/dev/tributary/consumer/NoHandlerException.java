package dev.tributary.consumer;

/** An event has turned out to be of a type that there is no handler for, and that must not be passed over. */
final class NoHandlerException extends SubscriptionException {
    private static final long serialVersionUID = 1;

    private final String type;

    NoHandlerException(String type) {
        super("there is no handler for type " + type);
        this.type = type;
    }

    String type() {
        return type;
    }
}
