package dev.tributary.relay;

/** What a source is doing. Goes with a reason and a remedy in {@link SourceStatus}. */
public enum SourceState {
    /** Another relay streams this source; this one waits to take over. */
    STANDBY,
    /** Connecting, or reading the topics' tails, at start or after a failure; moves on by itself. */
    RECOVERING,
    /** Events move from the database to Kafka. */
    STREAMING,
    /** The replication slot is gone or invalidated; an operator has to recover it. */
    SLOT_LOST,
    /** Stopped for a named reason and will not move before an operator has acted. */
    STOPPED
}
