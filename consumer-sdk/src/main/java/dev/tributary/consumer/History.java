package dev.tributary.consumer;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How much of its topics' past a rebuild takes in. Immutable.
 *
 * @param extent how much
 * @param from with {@link Extent#SINCE}, the time of the first records; else null
 * @param replays with {@link Extent#REPLAYED}, the topics that history was replayed to; else empty
 */
public record History(Extent extent, @Nullable Instant from, List<String> replays) {
    /** How much of the past. */
    public enum Extent {
        /** All of it; what Kafka has deleted already is missed, and stops the partition. */
        WHOLE,
        /** What was written from some time on, and all of that. */
        SINCE,
        /** What Kafka still has, whatever is missing. */
        REMAINING,
        /** All of it, from topics that {@code relay replay} has written; then what is live, from where those end. */
        REPLAYED
    }

    public History {
        if ((extent == Extent.SINCE) != (from != null)) {
            throw new SubscriptionException("a history has a time with SINCE, and only then");
        }
        if ((extent == Extent.REPLAYED) == replays.isEmpty()) {
            throw new SubscriptionException("a history names replayed topics with REPLAYED, and only then");
        }
        replays = List.copyOf(replays);
    }

    /** From the first event ever; stops where Kafka has deleted the beginning. */
    public static History whole() {
        return new History(Extent.WHOLE, null, List.of());
    }

    /** From the first record at {@code time} or later, by the records' timestamps; stops where Kafka has deleted some. */
    public static History since(Instant time) {
        return new History(Extent.SINCE, Objects.requireNonNull(time), List.of());
    }

    /** From the first record that Kafka still has. */
    public static History remaining() {
        return new History(Extent.REMAINING, null, List.of());
    }

    /**
     * All of it, however little Kafka still has of the live topics: first what {@code relay replay} has written to these topics, one
     * for each source, and then the live topics from where that ends, without a seam. A live topic that none of the replays
     * covers is read from its first event on, after them.
     */
    public static History replayed(String... topics) {
        return new History(Extent.REPLAYED, null, List.of(topics));
    }
}
