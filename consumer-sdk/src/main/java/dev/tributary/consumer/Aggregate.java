package dev.tributary.consumer;

/**
 * What events are ordered by, and parked by. Immutable.
 *
 * @param source the name of the source that it is in; a foreign producer's {@code ce_source} as it is
 * @param type what kind of thing it is; empty when a foreign producer does not say
 * @param id which one
 */
public record Aggregate(String source, String type, String id) {
    static Aggregate of(Event<?> event) {
        return new Aggregate(event.source(), event.aggregateType(), event.aggregateId());
    }

    /** As {@code type/id of source}. */
    @Override
    public String toString() {
        return type + "/" + id + " of " + source;
    }
}
