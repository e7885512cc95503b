package dev.tributary.relay.http;

import dev.tributary.outbox.retention.RetentionStatus;
import dev.tributary.relay.SlotHealth;
import dev.tributary.relay.SourceState;
import dev.tributary.relay.SourceStatus;
import io.micronaut.core.annotation.Introspected;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A {@link SourceStatus} as JSON; LSNs as numbers and as people know them from PostgreSQL. */
@Introspected
record SourceJson(
        String source,
        SourceState state,
        String since,
        String reason,
        String remedy,
        boolean moving,
        ProgressJson progress,
        SlotJson slot,
        @Nullable RetentionJson retention) {
    private static final double MILLIS_PER_SECOND = 1_000.0;

    /** Null for a lag that is not known. */
    @Introspected
    record ProgressJson(
            long events,
            long bytes,
            long skipped,
            long retries,
            int eventsInFlight,
            int parkedAggregates,
            long confirmedLsn,
            String confirmedLsnText,
            long serverLsn,
            String serverLsnText,
            long retainedBytes,
            @Nullable Long safeBytes,
            long lagBytes,
            @Nullable Double lagSeconds) {}

    /** Null for what is not known, or not limited. */
    @Introspected
    record SlotJson(
            @Nullable String walStatus,
            long retainedBytes,
            @Nullable Long safeBytes,
            @Nullable Long bytesMax,
            @Nullable Double walBytesPerSecond,
            @Nullable Long secondsLeft,
            String danger) {
        static SlotJson of(SourceStatus status) {
            SlotHealth slot = status.slot();
            Duration left = slot.timeLeft();
            return new SlotJson(
                    slot.walStatus(),
                    status.progress().retainedBytes(),
                    status.progress().safeBytes(),
                    slot.bytesMax(),
                    slot.walBytesPerSecond(),
                    left == null ? null : Long.valueOf(left.toSeconds()),
                    slot.danger());
        }
    }

    /** Null where this relay does not keep the outbox small. */
    @Introspected
    record RetentionJson(
            boolean leading,
            int partitions,
            long outboxBytes,
            long defaultBytes,
            long overdueSeconds,
            String trouble,
            String remedy) {
        static @Nullable RetentionJson of(@Nullable RetentionStatus status) {
            return status == null
                    ? null
                    : new RetentionJson(
                            status.leading(),
                            status.partitions(),
                            status.outboxBytes(),
                            status.defaultBytes(),
                            status.overdue().toSeconds(),
                            status.trouble(),
                            status.remedy());
        }
    }

    static SourceJson of(SourceStatus status) {
        SourceStatus.Progress progress = status.progress();
        return new SourceJson(
                status.source(),
                status.state(),
                status.since().toString(),
                status.reason(),
                status.remedy(),
                status.moving(),
                new ProgressJson(
                        progress.events(),
                        progress.bytes(),
                        progress.skipped(),
                        progress.retries(),
                        progress.eventsInFlight(),
                        progress.parkedAggregates(),
                        progress.confirmedLsn(),
                        lsn(progress.confirmedLsn()),
                        progress.serverLsn(),
                        lsn(progress.serverLsn()),
                        progress.retainedBytes(),
                        progress.safeBytes(),
                        progress.lagBytes(),
                        seconds(progress.lag())),
                SlotJson.of(status),
                RetentionJson.of(status.retention()));
    }

    /** PostgreSQL's way of writing an LSN, such as {@code 16/B374D848}. */
    static String lsn(long lsn) {
        return String.format("%X/%X", lsn >>> Integer.SIZE, lsn & 0xFFFF_FFFFL);
    }

    private static @Nullable Double seconds(@Nullable Duration lag) {
        return lag == null ? null : lag.toMillis() / MILLIS_PER_SECOND;
    }
}
