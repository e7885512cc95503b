package dev.tributary.consumer;

/** What a subscription does with a record that is not a readable event. */
public enum Garbage {
    /** Counts it, logs its topic, partition and offset, and goes on. */
    SKIP,
    /** Stops the partition before it, saying what is wrong with it. */
    REFUSE
}
