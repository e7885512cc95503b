package dev.tributary.consumer;

/**
 * How much a subscription takes on at a time, per topic partition. Immutable.
 *
 * @param batchEventsMax events in one transaction; fewer if they would take it longer than about half a second
 * @param batchBytesMax their bytes in one transaction; a single event may be larger
 * @param bufferEventsMax events read ahead of the handlers; reading pauses above it
 * @param bufferBytesMax their bytes; one poll's worth may come on top of both
 * @param parkedAggregatesMax aggregates parked; one more stops the partition, because then it is the handler that is
 *     broken and not the events
 * @param sequencesKnownMax aggregates whose last sequence is known, to notice gaps; of those beyond it, the ones that have
 *     had no events for longest are forgotten. 10 bytes each in the database, 32 at most in memory
 */
public record Limits(
        int batchEventsMax,
        long batchBytesMax,
        int bufferEventsMax,
        long bufferBytesMax,
        int parkedAggregatesMax,
        int sequencesKnownMax) {
    private static final Limits DEFAULTS = new Limits(2_000, 4L << 20, 4_000, 16L << 20, 1_000, 1_000_000);

    public Limits {
        atLeastOne("batchEventsMax", batchEventsMax);
        atLeastOne("batchBytesMax", batchBytesMax);
        atLeastOne("bufferEventsMax", bufferEventsMax);
        atLeastOne("bufferBytesMax", bufferBytesMax);
        atLeastOne("parkedAggregatesMax", parkedAggregatesMax);
        atLeastOne("sequencesKnownMax", sequencesKnownMax);
    }

    /** 2000 events or 4 MiB in a transaction, 4000 or 16 MiB ahead, 1000 parked aggregates, a million known sequences. */
    public static Limits ofDefaults() {
        return DEFAULTS;
    }

    /** These, with another {@link #batchEventsMax}. */
    public Limits withBatchEventsMax(int events) {
        return new Limits(
                events, batchBytesMax, bufferEventsMax, bufferBytesMax, parkedAggregatesMax, sequencesKnownMax);
    }

    /** These, with another {@link #bufferEventsMax}. */
    public Limits withBufferEventsMax(int events) {
        return new Limits(
                batchEventsMax, batchBytesMax, events, bufferBytesMax, parkedAggregatesMax, sequencesKnownMax);
    }

    /** These, with another {@link #parkedAggregatesMax}. */
    public Limits withParkedAggregatesMax(int aggregates) {
        return new Limits(
                batchEventsMax, batchBytesMax, bufferEventsMax, bufferBytesMax, aggregates, sequencesKnownMax);
    }

    /** These, with another {@link #sequencesKnownMax}. */
    public Limits withSequencesKnownMax(int aggregates) {
        return new Limits(
                batchEventsMax, batchBytesMax, bufferEventsMax, bufferBytesMax, parkedAggregatesMax, aggregates);
    }

    private static void atLeastOne(String name, long value) {
        if (value < 1) {
            throw new SubscriptionException(name + " must be at least 1, not " + value);
        }
    }
}
