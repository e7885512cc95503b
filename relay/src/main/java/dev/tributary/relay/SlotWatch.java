package dev.tributary.relay;

import dev.tributary.relay.config.SlotLimits;
import dev.tributary.relay.source.SourceDatabase.Pulse;
import dev.tributary.relay.source.SourceDatabase.SlotWal;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Says how long the WAL that the slot keeps may go on growing, from how fast the server has written over the last minute.
 * Used by one thread.
 */
final class SlotWatch {
    private static final Duration WINDOW = Duration.ofMinutes(1);
    /** Less than that says nothing of the rate. */
    private static final Duration WINDOW_MIN = Duration.ofSeconds(5);

    private static final double NANOS_PER_SECOND = 1e9;

    private final SlotLimits limits;
    private final Deque<Sample> samples = new ArrayDeque<>();

    SlotWatch(SlotLimits limits) {
        this.limits = limits;
    }

    private record Sample(long nanos, long walEnd) {}

    SlotHealth look(Pulse pulse, long nowNanos) {
        if (!samples.isEmpty() && Long.compareUnsigned(pulse.walEnd(), samples.getLast().walEnd) < 0) {
            samples.clear(); // another server
        }
        samples.addLast(new Sample(nowNanos, pulse.walEnd()));
        while (samples.size() > 2 && nowNanos - samples.getFirst().nanos > WINDOW.toNanos()) {
            samples.removeFirst();
        }
        Double rate = rate();
        SlotWal slot = pulse.slot();
        Long limit = slot.keepBytesMax() != null ? slot.keepBytesMax() : limits.bytesMax();
        Long left = slot.safeBytes() != null
                ? slot.safeBytes()
                : limits.bytesMax() == null ? null : Long.valueOf(limits.bytesMax() - slot.retainedBytes());
        Duration timeLeft = timeLeft(left, rate);
        return new SlotHealth(slot.status(), limit, rate, timeLeft, danger(slot, left, timeLeft));
    }

    /** Bytes a second; null while it is not known. */
    private @Nullable Double rate() {
        Sample first = samples.getFirst();
        Sample last = samples.getLast();
        long nanos = last.nanos - first.nanos;
        return nanos < WINDOW_MIN.toNanos() ? null : (last.walEnd - first.walEnd) / (nanos / NANOS_PER_SECOND);
    }

    private static @Nullable Duration timeLeft(@Nullable Long left, @Nullable Double rate) {
        if (left != null && left <= 0) {
            return Duration.ZERO;
        }
        return left == null || rate == null || rate <= 0 ? null : Duration.ofSeconds((long) (left / rate));
    }

    /** A busy server alone is none: only where more is kept already than may still be written. */
    private String danger(SlotWal slot, @Nullable Long left, @Nullable Duration timeLeft) {
        if (slot.status() == null) {
            return "there is no slot";
        }
        if (slot.status().equals("lost") || slot.status().equals("unreserved")) {
            return "the slot's WAL is " + slot.status();
        }
        boolean much = left != null && left < slot.retainedBytes();
        return much && timeLeft != null && timeLeft.compareTo(limits.timeMin()) < 0
                ? "the WAL that the slot keeps reaches its limit in " + timeLeft.toSeconds() + " s"
                : "";
    }
}
