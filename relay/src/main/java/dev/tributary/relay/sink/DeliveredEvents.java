package dev.tributary.relay.sink;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.flow.PositionForm;
import dev.tributary.relay.flow.RelayException;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The events behind the confirmed position that Kafka holds already, found in the topics' tails. Kept as a set and not
 * as one highest position: partitions run ahead of each other, and an event may lie in another partition than it would
 * go to today. Bounded by what can be in flight. What the other engine has sent is among them. Not thread-safe.
 */
public final class DeliveredEvents {
    private final Map<Long, BitSet> ordinalsByCommitLsn = new HashMap<>();
    private final OtherEnginesEvents others = new OtherEnginesEvents();
    private final PositionForm form;
    private final Map<String, Map<Integer, Long>> endOffsets = new HashMap<>();
    private Position last = Position.START;
    private int size;
    private @Nullable Long beyondLast;

    /** For an engine whose positions have {@code form}. */
    public DeliveredEvents(PositionForm form) {
        this.form = form;
    }

    void add(Position position, UUID id) {
        if (PositionForm.of(position) == form) {
            addOwn(position);
        } else if (others.add(position, id)) {
            size++;
        }
        if (position.isAfter(last)) {
            last = position;
        }
    }

    private void addOwn(Position position) {
        BitSet ordinals = ordinalsByCommitLsn.computeIfAbsent(position.commitLsn(), lsn -> new BitSet());
        if (!ordinals.get(position.ordinal())) {
            ordinals.set(position.ordinal());
            size++;
        }
    }

    /**
     * Whether Kafka holds the event at {@code position}. To be asked of each event once, in order.
     *
     * @throws RelayException.Stopped if Kafka holds events that have not come by then: they are another history's
     */
    public boolean takes(Position position, UUID id) {
        if (size == 0) {
            return false;
        }
        if (isBeyondLast(position)) {
            throw new RelayException.Stopped(
                    "Kafka holds " + size + " events up to " + last + " that the database does not send",
                    "the database was restored or replaced by one that lacks them: raise the source's epoch",
                    null);
        }
        if (!takesOwn(position) && !others.takes(position, id)) {
            return false;
        }
        size--;
        return true;
    }

    private boolean takesOwn(Position position) {
        BitSet ordinals = ordinalsByCommitLsn.get(position.commitLsn());
        if (ordinals == null || !ordinals.get(position.ordinal())) {
            return false;
        }
        ordinals.clear(position.ordinal());
        return true;
    }

    /** The first transaction behind one in the other form may be that very one, by where it ends. */
    private boolean isBeyondLast(Position position) {
        if (!position.isAfter(last)) {
            return false;
        }
        if (form == PositionForm.COMMIT_END && PositionForm.of(last) != form && beyondLast == null) {
            beyondLast = position.commitLsn();
        }
        return beyondLast == null || beyondLast != position.commitLsn();
    }

    /** Where an event that Kafka does not hold has to be, so that positions grow behind those that it holds. */
    public Position behindDelivered(Position position) {
        return others.behindDelivered(position);
    }

    /** The highest position found; {@link Position#START} if none. */
    public Position last() {
        return last;
    }

    /** How many of the events found committed at {@code commitLsn} or behind it. */
    public int countFrom(long commitLsn) {
        int count = ordinalsByCommitLsn.entrySet().stream()
                .filter(transaction -> Long.compareUnsigned(transaction.getKey(), commitLsn) >= 0)
                .mapToInt(transaction -> transaction.getValue().cardinality())
                .sum();
        for (long lsn : others.commitLsns()) {
            count += Long.compareUnsigned(lsn, commitLsn) >= 0 ? 1 : 0;
        }
        return count;
    }

    /** The first commit LSN found that is not below {@code commitLsn}; null if there is none. */
    public @Nullable Long firstFrom(long commitLsn) {
        return Stream.concat(ordinalsByCommitLsn.keySet().stream(), others.commitLsns().stream())
                .filter(lsn -> Long.compareUnsigned(lsn, commitLsn) >= 0)
                .min(Long::compareUnsigned)
                .orElse(null);
    }

    void endsAt(TopicPartition partition, long offset) {
        endOffsets.computeIfAbsent(partition.topic(), topic -> new HashMap<>()).put(partition.partition(), offset);
    }

    /** Where the topics ended, by topic and partition. */
    public Map<String, Map<Integer, Long>> endOffsets() {
        return endOffsets;
    }

    /** How many of the events found have not come yet. */
    public int size() {
        return size;
    }
}
