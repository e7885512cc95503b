package dev.tributary.relay.sink;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.flow.RelayException;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The events behind the confirmed position that Kafka holds already, found in the topics' tails. Kept as a set and not
 * as one highest position: partitions run ahead of each other, and an event may lie in another partition than it would
 * go to today. Bounded by what can be in flight. Not thread-safe.
 */
public final class DeliveredEvents {
    private final Map<Long, BitSet> ordinalsByCommitLsn = new HashMap<>();
    private final Map<String, Map<Integer, Long>> endOffsets = new HashMap<>();
    private Position last = Position.START;
    private int size;

    void add(Position position) {
        BitSet ordinals = ordinalsByCommitLsn.computeIfAbsent(position.commitLsn(), lsn -> new BitSet());
        if (!ordinals.get(position.ordinal())) {
            ordinals.set(position.ordinal());
            size++;
        }
        if (position.isAfter(last)) {
            last = position;
        }
    }

    /**
     * Whether Kafka holds the event at {@code position}. To be asked of each event once, in order.
     *
     * @throws RelayException.Stopped if Kafka holds events that have not come by then: they are another history's
     */
    public boolean takes(Position position) {
        if (size == 0) {
            return false;
        }
        if (position.isAfter(last)) {
            throw new RelayException.Stopped(
                    "Kafka holds " + size + " events up to " + last + " that the database does not send",
                    "the database was restored or replaced by one that lacks them: raise the source's epoch",
                    null);
        }
        BitSet ordinals = ordinalsByCommitLsn.get(position.commitLsn());
        if (ordinals == null || !ordinals.get(position.ordinal())) {
            return false;
        }
        ordinals.clear(position.ordinal());
        size--;
        return true;
    }

    /** The highest position found; {@link Position#START} if none. */
    public Position last() {
        return last;
    }

    /** How many of the events found committed at {@code commitLsn} or behind it. */
    public int countFrom(long commitLsn) {
        return ordinalsByCommitLsn.entrySet().stream()
                .filter(transaction -> Long.compareUnsigned(transaction.getKey(), commitLsn) >= 0)
                .mapToInt(transaction -> transaction.getValue().cardinality())
                .sum();
    }

    /** The first commit LSN found that is not below {@code commitLsn}; null if there is none. */
    public @Nullable Long firstFrom(long commitLsn) {
        return ordinalsByCommitLsn.keySet().stream()
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
