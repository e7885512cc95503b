package dev.tributary.consumer.progress;

import java.time.Duration;

/**
 * When to look into the view's database: rarely as long as this instance feeds the whole view itself; every second while
 * others do too, and four times when they have yet to reach a mark; more often, with back-off, while a reader waits for that. Used by one thread.
 */
final class Looks {
    private static final Duration RARELY = Duration.ofSeconds(15);
    private static final Duration REGULARLY = Duration.ofSeconds(1);
    private static final Duration BEHIND = Duration.ofMillis(250);
    private static final Duration SHORTEST = Duration.ofMillis(10);
    private static final Duration LONGEST = Duration.ofMillis(160);

    private Duration pause = SHORTEST;
    private Duration every = Duration.ZERO;
    private long lookedNanos;

    /** Something has come up that a look may settle. */
    void news() {
        pause = SHORTEST;
    }

    /** Says what is known before a look is considered. */
    void consider(boolean ownsAll, boolean behind, boolean readersWait) {
        if (!every.isZero()) {
            Duration withOthers = behind ? BEHIND : REGULARLY;
            every = readersWait ? pause : ownsAll ? RARELY : withOthers;
        }
    }

    boolean isDue() {
        return nanosUntilDue() <= 0;
    }

    long nanosUntilDue() {
        return every.isZero() ? 0 : lookedNanos + every.toNanos() - System.nanoTime();
    }

    /** Notes that one was taken. */
    void looked() {
        lookedNanos = System.nanoTime();
        every = REGULARLY;
        Duration next = pause.multipliedBy(2);
        pause = next.compareTo(LONGEST) > 0 ? LONGEST : next;
    }

    /** Notes that the database did not answer. */
    void failed() {
        looked();
        pause = REGULARLY;
    }
}
