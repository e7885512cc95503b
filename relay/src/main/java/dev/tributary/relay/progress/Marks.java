package dev.tributary.relay.progress;

import dev.tributary.relay.flow.Delivery;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * When to publish a progress mark, and what may be confirmed to the database because of it. The database is told of
 * nothing that a mark in Kafka does not say already: so at every start the slot can be compared with the last mark, and one
 * that is ahead of it has been moved by somebody else. One thread asks; acknowledgements come from the producer's.
 */
public final class Marks {
    /** Under load; readers who wait for a write wait for a mark. */
    private static final Duration INTERVAL = Duration.ofMillis(200);
    /** When everything is in Kafka, and events have come, "at once" is this long after the last mark. */
    private static final Duration SHORTEST_INTERVAL = Duration.ofMillis(50);

    private final Covered<Instant> time;
    private final Covered<Long> horizon;
    private volatile long markedLsn;
    private long sentLsn;
    private long sentNanos;
    private @Nullable Instant sentTime;

    /**
     * Starts with {@code confirmedLsn}, up to which the database knows already.
     *
     * @param time up to which everything is in Kafka, as the last mark says; null if not known
     * @param horizon transactions below it are in Kafka, as the last mark says; 0 if not known
     */
    public Marks(long confirmedLsn, @Nullable Instant time, long horizon, long nowNanos) {
        this.markedLsn = confirmedLsn;
        this.time = new Covered<>(time);
        this.horizon = new Covered<>(horizon);
        this.sentTime = time;
        this.sentNanos = nowNanos - INTERVAL.toNanos();
    }

    /** Notes that at {@code time} nothing had committed behind {@code walEnd}. */
    public void serverWasAt(Instant time, long walEnd) {
        this.time.note(time, walEnd);
    }

    /** Notes that of the transactions below {@code horizon} none had committed behind {@code walEnd}. */
    public void endedBelow(long horizon, long walEnd) {
        this.horizon.note(horizon, walEnd);
    }

    /**
     * Whether a mark is due when everything up to {@code lsn} is in Kafka.
     *
     * @param awaited whether there is nothing more to come by now, and events are new: other databases of a server write
     *     all the time, for which nobody waits
     */
    public boolean isDue(long lsn, boolean awaited, long nowNanos) {
        time.reached(lsn);
        horizon.reached(lsn);
        long since = nowNanos - sentNanos;
        boolean news = isOwed(lsn) || !Objects.equals(time.covered, sentTime);
        return news && since >= (awaited ? SHORTEST_INTERVAL : INTERVAL).toNanos();
    }

    /** Whether everything up to {@code lsn} is in Kafka and the last mark does not say so. */
    public boolean isOwed(long lsn) {
        return Long.compareUnsigned(lsn, sentLsn) > 0;
    }

    /** The time up to which everything is in Kafka, as {@link #isDue} has found it; null if not known. */
    public @Nullable Instant coveredTime() {
        return time.covered;
    }

    /** Below which every transaction's events are in Kafka, as {@link #isDue} has found it; 0 if not known. */
    public long coveredHorizon() {
        return horizon.covered == null ? 0 : horizon.covered;
    }

    /** Notes that a mark is on its way. */
    public Delivery sending(long lsn, long nowNanos) {
        sentLsn = lsn;
        sentTime = time.covered;
        sentNanos = nowNanos;
        return () -> markedLsn = lsn;
    }

    /** What the database may be told. */
    public long markedLsn() {
        return markedLsn;
    }

    /** Something that holds for Kafka once it has everything up to some LSN. The next is noted after this one is reached. */
    private static final class Covered<T> {
        private @Nullable T covered;
        private @Nullable T awaited;
        private long awaitedLsn;

        Covered(@Nullable T known) {
            covered = known;
        }

        void note(T value, long lsn) {
            if (awaited == null) {
                awaited = value;
                awaitedLsn = lsn;
            }
        }

        void reached(long lsn) {
            if (awaited != null && Long.compareUnsigned(lsn, awaitedLsn) >= 0) {
                covered = awaited;
                awaited = null;
            }
        }
    }
}
