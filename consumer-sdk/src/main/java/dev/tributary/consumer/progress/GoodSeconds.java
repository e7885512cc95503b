package dev.tributary.consumer.progress;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The seconds in which a view was fresh, as far as one instance can show it: a view that is complete up to some time is no older
 * than the limit until the limit after that time, whether or not somebody looks. Not thread-safe.
 */
final class GoodSeconds {
    static final int SECONDS_OF_MINUTE = 60;
    static final long ALL = (1L << SECONDS_OF_MINUTE) - 1;
    /** What a database that is away, or a frozen process, may leave to be noted. */
    private static final long MINUTES_KEPT_MAX = 120;

    private final long ageMaxMillis;
    private final TreeMap<Long, Long> minutes = new TreeMap<>();
    private long nextSecond;
    private long freshUntilMillis = Long.MIN_VALUE;

    /** Knows nothing of seconds before {@code start}. */
    GoodSeconds(Duration ageMax, Instant start) {
        this.ageMaxMillis = ageMax.toMillis();
        this.nextSecond = start.getEpochSecond() + 1;
    }

    /** Notes up to when the view is complete, by now; null if that is not known. */
    void sample(Instant now, @Nullable Instant completeUpTo) {
        long last = now.getEpochSecond();
        nextSecond = Math.max(nextSecond, last - MINUTES_KEPT_MAX * SECONDS_OF_MINUTE);
        for (; nextSecond <= last; nextSecond++) {
            // By what was known before: what the view has reached since, it may have reached only now
            boolean good = nextSecond * 1_000 <= freshUntilMillis;
            long bit = good ? 1L << (nextSecond % SECONDS_OF_MINUTE) : 0;
            minutes.merge(nextSecond / SECONDS_OF_MINUTE, bit, (all, one) -> all | one);
        }
        freshUntilMillis = completeUpTo == null ? Long.MIN_VALUE : completeUpTo.toEpochMilli() + ageMaxMillis;
        while (minutes.size() > MINUTES_KEPT_MAX) {
            minutes.pollFirstEntry();
        }
    }

    /** The minutes, since 1970, before one, each with its good seconds as bits. */
    Map<Long, Long> before(long minute) {
        return Map.copyOf(minutes.headMap(minute));
    }

    /** Forgets what is recorded elsewhere. */
    void recordedBefore(long minute) {
        minutes.headMap(minute).clear();
    }
}
