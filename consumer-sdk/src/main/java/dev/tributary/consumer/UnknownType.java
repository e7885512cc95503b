package dev.tributary.consumer;

/** What a subscription does with an event of a type that it has no handler for. */
public enum UnknownType {
    /** Counts it and goes on. */
    SKIP,
    /** Stops the partition before it, saying which type it is. */
    REFUSE
}
