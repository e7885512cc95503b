package dev.tributary.consumer;

/** What a subscription does when numbers are missing between an aggregate's last event and the one that came. */
public enum SequenceGap {
    /** Parks the aggregate, saying which numbers are missing, and applies it as soon as they have come. */
    PARK,
    /** Does not look: applies what comes. Saves the memory and the writing that it takes to know. */
    IGNORE
}
