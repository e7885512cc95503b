package dev.tributary.consumer.progress;

import dev.tributary.consumer.PartitionStatus;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;

/**
 * What a subscription wants next in each partition, put together from what this instance does and what the view's database
 * says of all instances. Each may be a moment old, so positions do not go back until they are found to have twice, the second
 * time by the database. Not thread-safe.
 */
final class KnownPositions {
    private final Map<TopicPartition, Long> known = new HashMap<>();
    private final Set<TopicPartition> own = new HashSet<>();
    private final Set<TopicPartition> suspect = new HashSet<>();

    /** Notes the partitions of this instance. */
    void own(List<PartitionStatus> partitions) {
        own.clear();
        for (PartitionStatus status : partitions) {
            Long next = status.nextOffset();
            boolean atWork =
                    status.state() == PartitionStatus.State.RUNNING || status.state() == PartitionStatus.State.RETRYING;
            if (next != null && atWork) {
                TopicPartition partition = new TopicPartition(status.topic(), status.partition());
                own.add(partition);
                if (next < known.merge(partition, next, Math::max)) {
                    suspect.add(partition);
                }
            }
        }
    }

    /**
     * Notes what the database says.
     *
     * @return whether positions have gone back
     */
    boolean stored(Map<TopicPartition, Long> positions) {
        boolean wentBack = false;
        Map<TopicPartition, Long> before = Map.copyOf(known);
        for (Map.Entry<TopicPartition, Long> each : before.entrySet()) {
            TopicPartition partition = each.getKey();
            long stored = positions.getOrDefault(partition, 0L);
            if (stored >= each.getValue()) {
                suspect.remove(partition);
            } else if (!suspect.add(partition)) {
                suspect.remove(partition);
                known.remove(partition);
                wentBack = true;
            }
        }
        positions.forEach((partition, next) -> known.merge(partition, next, Math::max));
        return wentBack;
    }

    /** Whether the database has to be asked again soon. */
    boolean isInDoubt() {
        return !suspect.isEmpty();
    }

    /** Whether this instance has all those partitions; then nobody else moves them. */
    boolean owns(Set<TopicPartition> partitions) {
        return own.containsAll(partitions);
    }

    Map<TopicPartition, Long> offsets() {
        return Map.copyOf(known);
    }
}
