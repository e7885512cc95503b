package dev.tributary.consumer;

/** What a subscription does with an event of a type that it has no handler for, after upcasting. */
public enum UnknownType {
    /** Counts it and goes on. */
    SKIP,
    /**
     * Counts it and goes on, unless it is another version of a type that there is a handler for: what the view is about
     * would be left out. The partition stops before it then, until it has a handler or an upcaster.
     */
    SKIP_UNRELATED,
    /** Stops the partition before it, saying which type it is. */
    REFUSE
}
