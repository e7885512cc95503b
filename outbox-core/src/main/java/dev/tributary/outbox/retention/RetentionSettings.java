package dev.tributary.outbox.retention;

import java.time.Duration;

/**
 * How long events stay in {@code tributary.outbox}, and how it is done. Immutable.
 *
 * @param window the recovery window: how long rows stay after every slot has confirmed them; longer than it may ever take
 *     to notice a lost slot and run {@code relay recover}
 * @param span how much time a partition covers
 * @param ahead how many partitions are kept ready behind the current one; what is not covered lands in the default partition
 * @param pauseMax for how long a step may hold up writers; what takes longer is given up and tried again later
 */
public record RetentionSettings(Duration window, Duration span, int ahead, Duration pauseMax) {
    public static final Duration DEFAULT_SPAN = Duration.ofHours(1);
    public static final int DEFAULT_AHEAD = 24;
    public static final Duration DEFAULT_PAUSE_MAX = Duration.ofMillis(500);

    private static final Duration SPAN_MIN = Duration.ofSeconds(1);
    private static final Duration TURN_MIN = Duration.ofMillis(200);
    private static final Duration TURN_MAX = Duration.ofMinutes(1);
    private static final int TURNS_PER_SPAN = 10;
    /** Planning and locking take longer the more there are. */
    private static final int PARTITIONS_MAX = 2_000;

    /**
     * Checks them.
     *
     * @throws IllegalArgumentException naming the setting and what it must be
     */
    public RetentionSettings {
        require(window.compareTo(Duration.ofSeconds(1)) >= 0, "window must be a second or more, not " + window);
        require(span.compareTo(SPAN_MIN) >= 0, "span must be a second or more, not " + span);
        require(span.toMillis() * 1_000_000 == span.toNanos(), "span must be in whole milliseconds, not " + span);
        require(ahead >= 1, "ahead must be 1 or more, not " + ahead);
        require(!pauseMax.minusMillis(1).isNegative(), "pause.max must be a millisecond or more, not " + pauseMax);
        long partitions = window.dividedBy(span) + ahead;
        require(
                partitions <= PARTITIONS_MAX,
                "window, span and ahead make " + partitions + " partitions, the limit is " + PARTITIONS_MAX
                        + "; take a longer span");
    }

    /** With the defaults for everything else. */
    public static RetentionSettings ofWindow(Duration window) {
        return new RetentionSettings(window, DEFAULT_SPAN, DEFAULT_AHEAD, DEFAULT_PAUSE_MAX);
    }

    /** How often {@link OutboxRetention#turn} should be called: ten times for each partition, at most every minute. */
    public Duration turnInterval() {
        Duration tenth = span.dividedBy(TURNS_PER_SPAN);
        return tenth.compareTo(TURN_MAX) > 0 ? TURN_MAX : tenth.compareTo(TURN_MIN) < 0 ? TURN_MIN : tenth;
    }

    private static void require(boolean holds, String problem) {
        if (!holds) {
            throw new IllegalArgumentException(problem);
        }
    }
}
