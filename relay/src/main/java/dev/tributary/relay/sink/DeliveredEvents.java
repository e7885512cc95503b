package dev.tributary.relay.sink;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.flow.PositionForm;
import dev.tributary.relay.flow.RelayException;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * The events behind the confirmed position that Kafka holds already, found in the topics' tails. Kept as a set and not
 * as one highest position: partitions run ahead of each other, and an event may lie in another partition than it would
 * go to today. Bounded by what can be in flight. What the other engine has sent is among them. Not thread-safe.
 */
public final class DeliveredEvents {
    private final Map<Long, Transaction> transactions = new HashMap<>();
    private final OtherEnginesEvents others = new OtherEnginesEvents();
    private final PositionForm form;
    private final Map<String, Map<Integer, Long>> endOffsets = new HashMap<>();
    /** Topics that have, or may have, got more partitions lately: where an event would go today, others have gone before. */
    private final Set<String> moved = new HashSet<>();

    private final Map<TopicPartition, Position> lastIn = new HashMap<>();
    private Position last = Position.START;
    private int size;
    private @Nullable Long beyondLast;

    /** For an engine whose positions have {@code form}. */
    public DeliveredEvents(PositionForm form) {
        this.form = form;
    }

    /**
     * What is found of one transaction that has not come yet. Another history may have transactions of the same size at the
     * same place: the ids tell.
     */
    private static final class Transaction {
        /** The first 64; most transactions have no more, and there may be millions of them. */
        private long firstOrdinals;

        private @Nullable BitSet otherOrdinals;
        private long ids;

        boolean has(int ordinal) {
            return ordinal < Long.SIZE
                    ? (firstOrdinals >>> ordinal & 1) != 0
                    : otherOrdinals != null && otherOrdinals.get(ordinal);
        }

        void toggle(int ordinal, UUID id) {
            if (ordinal < Long.SIZE) {
                firstOrdinals ^= 1L << ordinal;
            } else {
                otherOrdinals = otherOrdinals == null ? new BitSet() : otherOrdinals;
                otherOrdinals.flip(ordinal);
            }
            ids ^= id.getMostSignificantBits() * 31 ^ id.getLeastSignificantBits();
        }

        boolean isEmpty() {
            return firstOrdinals == 0 && (otherOrdinals == null || otherOrdinals.isEmpty());
        }

        int size() {
            return Long.bitCount(firstOrdinals) + (otherOrdinals == null ? 0 : otherOrdinals.cardinality());
        }
    }

    /** Notes that an event with {@code key} lies in {@code partition}, be it confirmed or not. */
    void lies(byte[] key, TopicPartition partition) {
        if (partitionOf(partition.topic(), key) != partition.partition()) {
            moved.add(partition.topic());
        }
    }

    /** Notes that {@code topic} once had no more than so many partitions. */
    public void had(String topic, int partitions) {
        if (endOffsets.getOrDefault(topic, Map.of()).size() > partitions) {
            moved.add(topic);
        }
    }

    /**
     * Notes that a partition of {@code topic} began with one of the events found. It may have been added while they were on
     * their way, and marks that were published since may count it already.
     */
    void began(String topic) {
        moved.add(topic);
    }

    void add(TopicPartition partition, byte[] key, Position position, UUID id) {
        lies(key, partition);
        lastIn.merge(partition, position, (one, other) -> one.isAfter(other) ? one : other);
        if (PositionForm.of(position) == form) {
            addOwn(position, id);
        } else if (others.add(position, id)) {
            size++;
        }
        if (position.isAfter(last)) {
            last = position;
        }
    }

    private void addOwn(Position position, UUID id) {
        Transaction transaction = transactions.computeIfAbsent(position.commitLsn(), lsn -> new Transaction());
        if (!transaction.has(position.ordinal())) {
            transaction.toggle(position.ordinal(), id);
            size++;
        }
    }

    /**
     * Whether Kafka holds the event at {@code position}. To be asked of each event once, in order.
     *
     * @throws RelayException.HistoryBroken if Kafka holds events that have not come by then, or others in their place
     */
    public boolean takes(Position position, UUID id) {
        if (size == 0) {
            return false;
        }
        if (isBeyondLast(position)) {
            throw broken("Kafka holds " + size + " events up to " + last + " that the database does not send");
        }
        if (!takesOwn(position, id) && !others.takes(position, id)) {
            return false;
        }
        size--;
        return true;
    }

    private boolean takesOwn(Position position, UUID id) {
        Transaction transaction = transactions.get(position.commitLsn());
        if (transaction == null || !transaction.has(position.ordinal())) {
            return false;
        }
        transaction.toggle(position.ordinal(), id);
        if (transaction.isEmpty()) {
            transactions.remove(position.commitLsn());
            if (transaction.ids != 0) {
                throw broken("the transaction at " + position + " has other events in Kafka than in the database");
            }
        }
        return true;
    }

    /**
     * To be asked before an event is sent that Kafka does not hold.
     *
     * @param topic where it would go, by {@code key}
     * @throws RelayException.HistoryBroken if it would lie behind later ones in its partition: the prefix rule does not
     *     allow that, and readers would drop it. Nothing is said of topics that have got more partitions lately
     */
    public void refuseLate(Position position, String topic, byte[] key) {
        int partition = partitionOf(topic, key);
        Position there = moved.contains(topic) ? null : lastIn.get(new TopicPartition(topic, partition));
        if (there != null && there.isAfter(behindDelivered(position))) {
            throw broken("the database sends an event at " + position + " that Kafka does not hold, though in its"
                    + " partition (" + topic + "-" + partition + ") Kafka holds one at " + there);
        }
    }

    /** As the producer's default partitioner has it; -1 if there is no such topic. */
    private int partitionOf(String topic, byte[] key) {
        int partitions = endOffsets.getOrDefault(topic, Map.of()).size();
        return partitions == 0 ? -1 : Utils.toPositive(Utils.murmur2(key)) % partitions;
    }

    private static RelayException.HistoryBroken broken(String reason) {
        return new RelayException.HistoryBroken(
                reason, "the database was restored from an older copy: run `recover --new-epoch`");
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

    /**
     * The partition for an event that Kafka does not hold while it holds later ones: one without later ones, since readers
     * drop what comes behind those. Where partitions were added, that need not be the one that the key now belongs to.
     *
     * @return null where the producer may choose, as Kafka holds nothing later
     */
    public @Nullable Integer partitionFor(String topic, byte[] key, Position position) {
        Map<Integer, Long> partitions = endOffsets.get(topic);
        if (size == 0 || partitions == null) {
            return null;
        }
        int usual = partitionOf(topic, key);
        if (!holdsLater(topic, usual, position)) {
            return usual; // the producer may know of a newer partition by now, and choose another one
        }
        return partitions.keySet().stream()
                .filter(partition -> !holdsLater(topic, partition, position))
                .min(Integer::compare)
                .orElseThrow(() -> broken("the database sends an event at " + position
                        + " that Kafka does not hold, though every partition of " + topic + " holds later ones"));
    }

    private boolean holdsLater(String topic, int partition, Position position) {
        return lastIn.getOrDefault(new TopicPartition(topic, partition), Position.START)
                .isAfter(position);
    }

    /** The highest position found; {@link Position#START} if none. */
    public Position last() {
        return last;
    }

    /** How many of the events found committed at {@code commitLsn} or behind it. */
    public int countFrom(long commitLsn) {
        int count = transactions.entrySet().stream()
                .filter(transaction -> Long.compareUnsigned(transaction.getKey(), commitLsn) >= 0)
                .mapToInt(transaction -> transaction.getValue().size())
                .sum();
        for (long lsn : others.commitLsns()) {
            count += Long.compareUnsigned(lsn, commitLsn) >= 0 ? 1 : 0;
        }
        return count;
    }

    /** The first commit LSN found that is not below {@code commitLsn}; null if there is none. */
    public @Nullable Long firstFrom(long commitLsn) {
        return Stream.concat(transactions.keySet().stream(), others.commitLsns().stream())
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
