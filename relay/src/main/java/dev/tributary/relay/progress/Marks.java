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
    /** Under load. */
    private static final Duration INTERVAL = Duration.ofSeconds(1);
    /** When everything is in Kafka, "at once" is this long after the last mark. */
    private static final Duration SHORTEST_INTERVAL = Duration.ofMillis(50);

    private volatile long markedLsn;
    private long sentLsn;
    private long sentNanos;
    private long knownWalEnd;
    private @Nullable Instant knownTime;
    private @Nullable Instant coveredTime;
    private @Nullable Instant sentTime;

    /** Starts with {@code confirmedLsn}, up to which the database knows already. */
    public Marks(long confirmedLsn, long nowNanos) {
        this.markedLsn = confirmedLsn;
        this.sentNanos = nowNanos - INTERVAL.toNanos();
    }

    /** Notes that at {@code time} nothing had committed behind {@code walEnd}. */
    public void serverWasAt(Instant time, long walEnd) {
        if (knownTime == null) {
            knownTime = time;
            knownWalEnd = walEnd;
        }
    }

    /** Whether a mark is due when everything up to {@code lsn} is in Kafka. */
    public boolean isDue(long lsn, boolean drained, long nowNanos) {
        if (knownTime != null && Long.compareUnsigned(lsn, knownWalEnd) >= 0) {
            coveredTime = knownTime;
            knownTime = null;
        }
        long since = nowNanos - sentNanos;
        boolean news = Long.compareUnsigned(lsn, sentLsn) > 0 || !Objects.equals(coveredTime, sentTime);
        return news && since >= (drained ? SHORTEST_INTERVAL : INTERVAL).toNanos();
    }

    /** The time up to which everything is in Kafka, as {@link #isDue} has found it; null if not known. */
    public @Nullable Instant coveredTime() {
        return coveredTime;
    }

    /** Notes that a mark is on its way. */
    public Delivery sending(long lsn, long nowNanos) {
        sentLsn = lsn;
        sentTime = coveredTime;
        sentNanos = nowNanos;
        return () -> markedLsn = lsn;
    }

    /** What the database may be told. */
    public long markedLsn() {
        return markedLsn;
    }
}
