package dev.tributary.relay.replay;

import dev.tributary.relay.replay.HistoryReplay.Progress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/** How fast a replay is, and how fast it may be. Used by one thread. */
final class Speed {
    private static final double NANOS_PER_SECOND = 1e9;
    private static final Duration RATE_OVER = Duration.ofSeconds(10);

    private final long eventsPerSecondMax;
    private final long startNanos;
    private final Deque<Sample> samples = new ArrayDeque<>();

    private record Sample(long nanos, long done) {}

    /** @param done how many rows are done at the start */
    Speed(long eventsPerSecondMax, long startNanos, long done) {
        this.eventsPerSecondMax = eventsPerSecondMax;
        this.startNanos = startNanos;
        samples.add(new Sample(startNanos, done));
    }

    /** Nanoseconds to wait before another event is sent behind so many; zero or less for none. */
    long pauseBefore(long sent, long now) {
        return eventsPerSecondMax == Long.MAX_VALUE
                ? 0
                : (long) (sent * NANOS_PER_SECOND / eventsPerSecondMax) - (now - startNanos);
    }

    Progress progress(long done, long total, long now) {
        samples.addLast(new Sample(now, done));
        while (samples.size() > 2 && now - samples.getFirst().nanos() > RATE_OVER.toNanos()) {
            samples.removeFirst();
        }
        Sample first = samples.getFirst();
        double seconds = (now - first.nanos()) / NANOS_PER_SECOND;
        double rate = seconds <= 0 ? 0 : (done - first.done()) / seconds;
        Duration left = done >= total
                ? Duration.ZERO
                : rate < 1e-3 ? null : Duration.ofMillis((long) ((total - done) / rate * 1000));
        return new Progress(done, total, rate, left);
    }
}
