package dev.tributary.consumer;

/** The payload of the tests' event type. */
public record Added(long amount) {
    public static final String TYPE = "account.added.v1";
}
