package dev.tributary.samples.demo;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What was found in the databases and topics.
 *
 * @param acknowledged ids of the orders that sales told its callers it has
 * @param committed every event, from the sources' outboxes and event stores
 * @param delivered every record, from the topics, in each partition's order
 * @param shown what support's view shows, by row
 * @param truth what it should show, from the sources' own tables, by row
 * @param effects which events went into support's tables, by {@link Committed#effect}
 */
record Findings(
        Set<String> acknowledged,
        List<Committed> committed,
        List<Delivered> delivered,
        Map<String, String> shown,
        Map<String, String> truth,
        Map<String, Effect> effects) {

    /**
     * An event in its source's outbox or event store.
     *
     * @param aggregate type and id
     * @param effect names the row of support's tables that it goes into
     * @param at when PostgreSQL committed it
     */
    record Committed(String id, String source, String aggregate, long sequence, String effect, Instant at) {}

    /** A record in a topic. The position's text order is its order. */
    record Delivered(String id, String source, String aggregate, long sequence, String position, String partition) {}

    /**
     * A row of support's tables.
     *
     * @param times how many events have gone into it
     * @param visibleAt when PostgreSQL committed it as it is now
     */
    record Effect(int times, Instant visibleAt) {}

    long applied() {
        return effects.values().stream().mapToLong(Effect::times).sum();
    }

    long committedBy(String source) {
        return committed.stream().filter(event -> event.source().equals(source)).count();
    }
}
