package dev.tributary.consumer.progress;

import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.ReadToken;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * A progress mark, as far as it concerns a subscription. Immutable.
 *
 * @param offsets what the subscription must want next, at least, in each of its partitions that the mark names
 */
record Checkpoint(int epoch, History history, long lsn, long timeMillis, Map<TopicPartition, Long> offsets) {

    /** What LSNs count in. */
    record History(String systemId, int timeline) {
        static History of(ReadToken.Write write) {
            return new History(write.systemId(), write.timeline());
        }
    }

    /** Null if the mark does not say what its LSN counts in. */
    static @Nullable Checkpoint of(ProgressMark mark, Set<String> topics) {
        ProgressMark.History history = mark.history();
        if (history == null) {
            return null;
        }
        Map<TopicPartition, Long> offsets = new HashMap<>();
        mark.offsets().forEach((topic, partitions) -> {
            if (topics.contains(topic)) {
                partitions.forEach((partition, offset) -> offsets.put(new TopicPartition(topic, partition), offset));
            }
        });
        return new Checkpoint(
                mark.epoch(),
                new History(history.systemId(), history.timeline()),
                mark.lsn(),
                mark.timeMillis(),
                Map.copyOf(offsets));
    }

    /** Whether it says something that the other says too, and more; a relay that was frozen may repeat what is old. */
    boolean isAfter(Checkpoint other) {
        int byEpoch = Integer.compareUnsigned(epoch, other.epoch);
        if (byEpoch != 0) {
            return byEpoch > 0;
        }
        int byTimeline = Integer.compareUnsigned(history.timeline(), other.history.timeline());
        if (byTimeline != 0) {
            return byTimeline > 0;
        }
        int byLsn = Long.compareUnsigned(lsn, other.lsn);
        return byLsn != 0 ? byLsn > 0 : timeMillis > other.timeMillis;
    }

    /** Whether the two differ in nothing that a subscription could reach: the later one says more. */
    boolean asksTheSameAs(Checkpoint other) {
        return epoch == other.epoch && history.equals(other.history) && offsets.equals(other.offsets);
    }

    boolean covers(ReadToken.Write write) {
        return history.equals(History.of(write)) && Long.compareUnsigned(lsn, write.lsn()) >= 0;
    }

    boolean isReachedBy(Map<TopicPartition, Long> positions) {
        return offsets.entrySet().stream()
                .allMatch(each -> positions.getOrDefault(each.getKey(), 0L) >= each.getValue());
    }

    /** Records between the positions and here. */
    long missing(Map<TopicPartition, Long> positions) {
        return offsets.entrySet().stream()
                .mapToLong(each -> Math.max(0, each.getValue() - positions.getOrDefault(each.getKey(), 0L)))
                .sum();
    }
}
