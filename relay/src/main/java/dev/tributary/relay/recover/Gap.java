package dev.tributary.relay.recover;

import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.config.TopicTemplate;
import dev.tributary.relay.sink.HeldEvents;
import dev.tributary.relay.source.RetainedEvents.EventKey;
import dev.tributary.relay.source.RetainedEvents.MovedHead;
import dev.tributary.relay.source.SourceDatabase.Aggregate;
import java.time.Instant;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What lies between Kafka and a database's rows: which events Kafka lacks, and which neither has any more. The keys come
 * aggregate by aggregate and by sequence. Not thread-safe.
 */
final class Gap {
    private final TopicTemplate topics;
    private final SourceConfig source;
    private final HeldEvents held;
    private final boolean continues;
    private final boolean retained;
    private final @Nullable Instant markedTime;
    private final Map<Aggregate, NavigableSet<Long>> setAside = new HashMap<>();
    private final Map<String, Missing> missing = new TreeMap<>();
    private final Map<String, Lost> lost = new TreeMap<>();
    private final Map<String, Lost> unproven = new TreeMap<>();
    private final Map<String, Lost> unsure = new TreeMap<>();
    private @Nullable UUID id;
    private String aggregateType = "";
    private String aggregateId = "";
    private long reached;
    private long head;

    /**
     * @param continues whether Kafka's sequences are certain to be this database's, so that they tell as ids do
     * @param retained whether the tables still hold something from before the mark, so that what was removed is older
     * @param markedTime what committed until then is in Kafka; null if that is not known
     */
    Gap(SourceConfig source, HeldEvents held, boolean continues, boolean retained, @Nullable Instant markedTime) {
        this.source = source;
        this.topics = source.topics();
        this.held = held;
        this.continues = continues;
        this.retained = retained;
        this.markedTime = markedTime;
    }

    /** Events of one topic that Kafka lacks. */
    record Missing(long events, UUID first, Instant firstAt, UUID last, Instant lastAt) {
        Missing and(UUID id, Instant at) {
            boolean earlier = at.isBefore(firstAt);
            boolean later = !at.isBefore(lastAt);
            return new Missing(
                    events + 1, earlier ? id : first, earlier ? at : firstAt, later ? id : last, later ? at : lastAt);
        }
    }

    /** Events of one aggregate type. */
    record Lost(long events, long aggregates) {
        Lost and(Lost more) {
            return new Lost(events + more.events, aggregates + more.aggregates);
        }
    }

    /** What becomes of a row. */
    enum Fate {
        /** Kafka has it, or it is not to be relayed. */
        HELD,
        MISSING,
        /** Kafka may have had it, and has deleted what would tell. */
        UNSURE
    }

    Fate fate(UUID id, String type, String aggregate, long sequence, Instant occurredAt) {
        if (held.has(id)
                || source.skip().contains(id)
                || (continues && sequence > 0 && sequence <= held.lastSequence(type, aggregate))) {
            return Fate.HELD;
        }
        boolean mayHaveBeen = markedTime == null || !occurredAt.isAfter(markedTime);
        return mayHaveBeen && occurredAt.isBefore(held.completeFrom(topics.topicFor(type)))
                ? Fate.UNSURE
                : Fate.MISSING;
    }

    /**
     * An event that is not to be published, as it is set aside. Its row may be gone, or older than those that are looked at;
     * so its number is not missing. To be told before any key.
     */
    void setAside(EventKey key) {
        held.add(key.id());
        if (key.sequence() > 0) {
            setAside.computeIfAbsent(new Aggregate(key.aggregateType(), key.aggregateId()), unused -> new TreeSet<>())
                    .add(key.sequence());
        }
    }

    void key(EventKey key) {
        if (key.id().equals(id)) {
            return; // set aside once, and published again: it is there twice
        }
        id = key.id();
        if (!key.aggregateType().equals(aggregateType) || !key.aggregateId().equals(aggregateId)) {
            aggregateEnds();
            begin(key);
        }
        if (key.sequence() > 0) {
            lose(lost, reached, key.sequence() - 1);
            reached = Math.max(reached, key.sequence());
        }
        switch (fate(key.id(), key.aggregateType(), key.aggregateId(), key.sequence(), key.occurredAt())) {
            case HELD -> {}
            case UNSURE -> unsure.merge(key.aggregateType(), new Lost(1, 0), Lost::and);
            case MISSING ->
                missing.compute(
                        topics.topicFor(key.aggregateType()),
                        (topic, before) -> before == null
                                ? new Missing(1, key.id(), key.occurredAt(), key.id(), key.occurredAt())
                                : before.and(key.id(), key.occurredAt()));
        }
    }

    private void begin(EventKey key) {
        aggregateType = key.aggregateType();
        aggregateId = key.aggregateId();
        head = 0;
        reached = 0;
        if (key.sequence() == 0) {
            return; // none of its events has one: the others come first
        }
        head = key.head();
        reached = held.lastSequence(aggregateType, aggregateId);
        if (reached == 0) {
            if (!retained) {
                lose(unproven, 0, key.sequence() - 1);
            }
            reached = key.sequence() - 1;
        }
    }

    private void aggregateEnds() {
        lose(lost, reached, head);
    }

    private void lose(Map<String, Lost> where, long behind, long last) {
        lose(where, aggregateType, aggregateId, behind, last);
    }

    /** The numbers behind {@code behind} and up to {@code last}, but for those that are set aside. */
    private void lose(Map<String, Lost> where, String type, String aggregate, long behind, long last) {
        if (behind >= last) {
            return;
        }
        NavigableSet<Long> kept =
                setAside.getOrDefault(new Aggregate(type, aggregate), Collections.emptyNavigableSet());
        long events = last - behind - kept.subSet(behind, false, last, true).size();
        if (events > 0) {
            where.merge(type, new Lost(events, 1), Lost::and);
        }
    }

    /** An aggregate whose head was moved, and of whose events no row is there. */
    void headWithoutEvents(MovedHead moved) {
        long last = held.lastSequence(moved.aggregateType(), moved.aggregateId());
        boolean asBefore = last == 0 && retained; // a snapshot was stored, for instance
        if (!asBefore && last < moved.head()) {
            Map<String, Lost> where = last == 0 ? unproven : lost;
            lose(where, moved.aggregateType(), moved.aggregateId(), last, moved.head());
        }
    }

    /** All keys have come. */
    void end() {
        aggregateEnds();
        head = 0;
        reached = 0;
    }

    /** By topic. */
    Map<String, Missing> missing() {
        return missing;
    }

    /** By aggregate type: what is neither in Kafka nor in the tables. An aggregate counts once for each hole. */
    Map<String, Lost> lost() {
        return lost;
    }

    /** By aggregate type: what is not in the tables, and of which Kafka does not tell whether it was there. */
    Map<String, Lost> unproven() {
        return unproven;
    }

    /** By aggregate type: what is in the tables, and of which Kafka does not tell any more whether it was there. */
    Map<String, Lost> unsure() {
        return unsure;
    }

    long missingEvents() {
        return missing.values().stream().mapToLong(Missing::events).sum();
    }

    boolean losesNothing() {
        return lost.isEmpty() && unproven.isEmpty() && unsure.isEmpty();
    }
}
