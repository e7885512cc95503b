package dev.tributary.consumer;

import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * What the view's database keeps of one partition for a subscription: how far the view is, what is parked, and the last
 * sequences of aggregates.
 */
record PartitionRows(
        SubscriptionConfig config,
        TopicPartition partition,
        PositionStore positions,
        Parking parking,
        PartitionSequences sequences) {
    /** @param before what the partition's first events have to go on from; null if from nothing */
    static PartitionRows of(SubscriptionConfig config, TopicPartition partition, @Nullable HistorySequences before) {
        return new PartitionRows(
                config,
                partition,
                PositionStore.of(config, partition),
                new Parking(config.name(), partition),
                new PartitionSequences(config.name(), partition, config.limits().sequencesKnownMax(), before));
    }
}
