package dev.tributary.relay;

import dev.tributary.outbox.retention.RetentionStatus;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One source at one moment, for operators: HTTP, metrics and {@code status} are drawn from it.
 *
 * @param source the source's name
 * @param state what it is doing
 * @param since when it entered that state
 * @param reason why, in a sentence; empty when there is nothing to say
 * @param remedy what an operator can do about it; empty when nothing is needed
 * @param moving whether data moves, or would if there were any; not while Kafka has taken nothing for 10 s
 * @param progress how far it is
 * @param slot how long its slot may go on as it does
 * @param retention how its outbox is kept small; null if this relay does not do that
 */
public record SourceStatus(
        String source,
        SourceState state,
        Instant since,
        String reason,
        String remedy,
        boolean moving,
        Progress progress,
        SlotHealth slot,
        @Nullable RetentionStatus retention) {

    /** Of a relay that leaves retention to others. */
    public SourceStatus(
            String source,
            SourceState state,
            Instant since,
            String reason,
            String remedy,
            boolean moving,
            Progress progress,
            SlotHealth slot) {
        this(source, state, since, reason, remedy, moving, progress, slot, null);
    }

    /** The same, with how the outbox is kept small. */
    SourceStatus with(@Nullable RetentionStatus retention) {
        return new SourceStatus(source, state, since, reason, remedy, moving, progress, slot, retention);
    }

    /**
     * Counters since this process started, and distances.
     *
     * @param events events acknowledged by Kafka
     * @param bytes their payload bytes
     * @param skipped events found in Kafka already, and not sent again
     * @param retries times that the source was opened again after a failure
     * @param confirmedLsn everything committed up to here is in Kafka; 0 before the first connection
     * @param serverLsn the end of the server's WAL as last heard; 0 before the first connection
     * @param retainedBytes WAL that the server keeps for the slot
     * @param safeBytes WAL that may still be written before the server invalidates the slot; null if it never does
     * @param eventsInFlight sent and not yet acknowledged
     * @param parkedAggregates aggregates whose events are set aside, behind one that Kafka will never take
     * @param lag how long ago the oldest event that is not in Kafka yet was committed; null when unknown, zero when
     *     there is none
     */
    public record Progress(
            long events,
            long bytes,
            long skipped,
            long retries,
            long confirmedLsn,
            long serverLsn,
            long retainedBytes,
            @Nullable Long safeBytes,
            int eventsInFlight,
            int parkedAggregates,
            @Nullable Duration lag) {

        /** WAL that lies between the confirmed position and the server's end, in bytes. */
        public long lagBytes() {
            return Math.max(0, serverLsn - confirmedLsn);
        }
    }
}
