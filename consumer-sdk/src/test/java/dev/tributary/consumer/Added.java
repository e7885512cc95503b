package dev.tributary.consumer;

/** The payload of the tests' event type. */
record Added(long amount) {
    static final String TYPE = "account.added.v1";
}
