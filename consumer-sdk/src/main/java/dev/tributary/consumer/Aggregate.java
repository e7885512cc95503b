package dev.tributary.consumer;

/** What events are ordered by, and parked by. */
record Aggregate(String source, String type, String id) {
    static Aggregate of(Event<?> event) {
        return new Aggregate(event.source(), event.aggregateType(), event.aggregateId());
    }
}
