package dev.tributary.relay;

import java.time.Duration;

/**
 * How a stream divides its work into pieces. Each look at the socket and each request to Kafka has a price whatever it
 * carries, so the busier the source is, the more is taken at a time; a lone event goes at once. Used by one thread.
 */
final class Pace {
    /** Over which the rate is measured. */
    private static final long WINDOW_NANOS = 5_000_000;
    /** Messages in a millisecond from which on every piece is as large as it gets: about 30,000 events in a second. */
    private static final double BUSY = 100;

    private static final long GATHER_NANOS_MAX = 1_000_000;
    /** With as many messages in a millisecond waiting for more is worth while. */
    private static final double GATHER_FROM = 5;
    /** As long as the producer lingers by itself. */
    private static final long LINGER_NANOS_MAX = 5_000_000;

    /** What arrives ends the wait, and nothing else is in a hurry. */
    private static final Duration IDLE_MAX = Duration.ofMillis(250);

    private static final Duration MARK_MAX = Duration.ofMillis(50);
    private static final Duration BUSY_MAX = Duration.ofMillis(2);

    private long windowNanos;
    private long sentOffNanos;
    private int inWindow;
    private double perMilli;

    /** Starts at {@code nowNanos}. */
    Pace(long nowNanos) {
        windowNanos = nowNanos;
        sentOffNanos = nowNanos;
    }

    /** Counts what a turn has handled. */
    void handled(int messages, long nowNanos) {
        inWindow += messages;
        long window = nowNanos - windowNanos;
        if (window >= WINDOW_NANOS) {
            perMilli = inWindow * 1e6 / window;
            windowNanos = nowNanos;
            inWindow = 0;
        }
    }

    /** How long to leave the socket alone so that more comes together; 0 if what comes is to be taken at once. */
    long gatherNanos() {
        return perMilli < GATHER_FROM ? 0 : (long) (GATHER_NANOS_MAX * share());
    }

    /**
     * How long to wait for the next message before something else is looked at.
     *
     * @param inFlight whether acknowledgements may come
     * @param markOwed whether there is something that no mark says yet
     */
    Duration waitMax(boolean inFlight, boolean markOwed) {
        if (inFlight) {
            return BUSY_MAX;
        }
        return markOwed ? MARK_MAX : IDLE_MAX;
    }

    /** Whether what the producer still gathers is to be sent off. */
    boolean isSendingOff(long nowNanos) {
        if (share() == 1 || nowNanos - sentOffNanos < LINGER_NANOS_MAX * share()) {
            return false;
        }
        sentOffNanos = nowNanos;
        return true;
    }

    private double share() {
        return Math.min(1, perMilli / BUSY);
    }
}
