package dev.tributary.outbox;

import java.util.List;
import java.util.UUID;

/** What became of an append. */
public sealed interface AppendResult {
    /**
     * The events are the aggregate's last ones, if the transaction commits.
     *
     * @param sequence the last one's number
     * @param eventIds the events' ids in list order: UUIDs of version 7, unique, and growing within the process
     */
    record Appended(long sequence, List<UUID> eventIds) implements AppendResult {}

    /**
     * Another writer was there first. Nothing was written, and the transaction is still usable: load the aggregate again,
     * decide anew.
     *
     * @param expected the sequence that the aggregate was to be at, 0 for none
     * @param actual the sequence that it is at
     */
    record Conflict(String aggregateType, String aggregateId, long expected, long actual) implements AppendResult {}
}
