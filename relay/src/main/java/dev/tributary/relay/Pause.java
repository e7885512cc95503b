package dev.tributary.relay;

/**
 * How long to rest after a turn: not at all while there is work, then ever longer, so that an idle relay costs next to
 * nothing and a busy one no latency. Used by one thread.
 */
final class Pause {
    private static final long SHORTEST_NANOS = 50_000;
    private static final long LONGEST_NANOS = 10_000_000;

    private final Surroundings time;
    private long nanos = SHORTEST_NANOS;

    Pause(Surroundings time) {
        this.time = time;
    }

    void after(int workDone) {
        if (workDone > 0) {
            nanos = SHORTEST_NANOS;
            return;
        }
        time.pause(nanos);
        nanos = Math.min(LONGEST_NANOS, nanos + nanos / 2);
    }
}
