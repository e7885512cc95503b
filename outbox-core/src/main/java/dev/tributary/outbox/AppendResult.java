package dev.tributary.outbox;

import java.util.List;

/** What became of an append. */
public sealed interface AppendResult {
    /**
     * The events are the aggregate's last ones, if the transaction commits.
     *
     * @param sequence the last one's number
     * @param events as written, in list order
     */
    record Appended(long sequence, List<PublishedEvent> events) implements AppendResult {}

    /**
     * Another writer was there first. Nothing was written, and the transaction is still usable: load the aggregate again,
     * decide anew.
     *
     * @param expected the sequence that the aggregate was to be at, 0 for none
     * @param actual the sequence that it is at
     */
    record Conflict(String aggregateType, String aggregateId, long expected, long actual) implements AppendResult {}
}
