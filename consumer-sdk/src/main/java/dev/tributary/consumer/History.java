package dev.tributary.consumer;

import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How much of its topics' past a rebuild takes in. Immutable.
 *
 * @param extent how much
 * @param from with {@link Extent#SINCE}, the time of the first records; else null
 */
public record History(Extent extent, @Nullable Instant from) {
    /** How much of the past. */
    public enum Extent {
        /** All of it; what Kafka has deleted already is missed, and stops the partition. */
        WHOLE,
        /** What was written from some time on, and all of that. */
        SINCE,
        /** What Kafka still has, whatever is missing. */
        REMAINING
    }

    public History {
        if ((extent == Extent.SINCE) != (from != null)) {
            throw new SubscriptionException("a history has a time with SINCE, and only then");
        }
    }

    /** From the first event ever; stops where Kafka has deleted the beginning. */
    public static History whole() {
        return new History(Extent.WHOLE, null);
    }

    /** From the first record at {@code time} or later, by the records' timestamps; stops where Kafka has deleted some. */
    public static History since(Instant time) {
        return new History(Extent.SINCE, Objects.requireNonNull(time));
    }

    /** From the first record that Kafka still has. */
    public static History remaining() {
        return new History(Extent.REMAINING, null);
    }
}
