package dev.tributary.outbox.retention;

import java.time.Duration;

/**
 * How retention stands after a turn.
 *
 * @param leading whether this instance does it; another one does if not
 * @param partitions how many partitions of its own the outbox has, without the default one
 * @param outboxBytes size of all partitions
 * @param defaultBytes size of the default partition, which is empty where partitions were made in time
 * @param overdue how much older than the recovery window the oldest partition is; zero if none is
 * @param trouble what keeps it from its work, in a sentence; empty if nothing does
 * @param remedy what to do about it; empty if nothing is needed
 */
public record RetentionStatus(
        boolean leading,
        int partitions,
        long outboxBytes,
        long defaultBytes,
        Duration overdue,
        String trouble,
        String remedy) {
    /** Before the first turn. */
    public static final RetentionStatus UNKNOWN = new RetentionStatus(false, 0, 0, 0, Duration.ZERO, "", "");
}
