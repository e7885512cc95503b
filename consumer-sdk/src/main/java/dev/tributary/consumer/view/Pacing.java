package dev.tributary.consumer.view;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/**
 * How fast one process builds: at most so many events per second, and only for a share of the time while others need the
 * database more. Thread-safe.
 */
final class Pacing {
    private static final double SHARE_MIN = 0.05;
    /** So that a batch that waited for something does not cost minutes. */
    private static final long BUSY_NANOS_MAX = Duration.ofMillis(250).toNanos();

    private final long eventsPerSecondMax;
    private final Map<TopicPartition, Turn> turns = new HashMap<>();
    private double share = 1;
    private long freeAt = System.nanoTime();

    /** A partition's times; 0 stands for none. */
    private static final class Turn {
        private long begunAt;
        private long restsUntil;
    }

    /** @param eventsPerSecondMax {@link Long#MAX_VALUE} for no limit */
    Pacing(long eventsPerSecondMax) {
        this.eventsPerSecondMax = eventsPerSecondMax;
    }

    /** Zero if these events are to be applied now; else how long to wait before asking again. */
    synchronized Duration take(TopicPartition partition, int events, long now) {
        Turn turn = turns.computeIfAbsent(partition, p -> new Turn());
        if (turn.begunAt != 0) {
            long busy = Math.min(BUSY_NANOS_MAX, now - turn.begunAt);
            turn.restsUntil = now + (long) (busy * (1 / share - 1));
            turn.begunAt = 0;
        }
        long wait = Math.max(turn.restsUntil - now, freeAt - now);
        if (wait > 0) {
            return Duration.ofNanos(wait);
        }
        if (eventsPerSecondMax != Long.MAX_VALUE) {
            freeAt = now + (long) (events * 1e9 / eventsPerSecondMax);
        }
        turn.begunAt = now;
        return Duration.ZERO;
    }

    /** Work for half the time that was worked for until now, but always for some. */
    synchronized void slowDown() {
        share = Math.max(SHARE_MIN, share / 2);
    }

    /** Work more again. */
    synchronized void speedUp() {
        share = Math.min(1, share * 1.5);
    }

    synchronized double share() {
        return share;
    }
}
