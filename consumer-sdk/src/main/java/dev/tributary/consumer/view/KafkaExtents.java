package dev.tributary.consumer.view;

import dev.tributary.consumer.History;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Asks Kafka from where to where the partitions reach, of all topics that a view's versions read. */
final class KafkaExtents implements AutoCloseable {
    private static final Duration ANSWER_MAX = Duration.ofSeconds(10);
    private static final ListOffsetsOptions COMMITTED = new ListOffsetsOptions(IsolationLevel.READ_COMMITTED);

    private final Admin admin;

    KafkaExtents(Map<String, Object> consumerSettings) {
        Map<String, Object> settings = new HashMap<>(consumerSettings);
        settings.keySet().retainAll(AdminClientConfig.configNames());
        settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, 5_000);
        settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, 5_000);
        admin = Admin.create(settings);
    }

    /** A partition's offsets: {@code earliest} (included) to {@code end} (excluded). */
    record Extent(long earliest, long end) {}

    /** All partitions of those of the topics that exist. */
    Map<TopicPartition, Extent> of(Collection<String> topics)
            throws InterruptedException, ExecutionException, TimeoutException {
        List<TopicPartition> partitions = new ArrayList<>();
        for (var topic : admin.describeTopics(topics).topicNameValues().values()) {
            try {
                var description = topic.get(ANSWER_MAX.toMillis(), TimeUnit.MILLISECONDS);
                description
                        .partitions()
                        .forEach(info -> partitions.add(new TopicPartition(description.name(), info.partition())));
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                    throw e;
                }
            }
        }
        Map<TopicPartition, Long> earliest = offsets(partitions, OffsetSpec.earliest());
        Map<TopicPartition, Long> ends = offsets(partitions, OffsetSpec.latest());
        Map<TopicPartition, Extent> extents = new HashMap<>();
        for (TopicPartition partition : partitions) {
            extents.put(partition, new Extent(earliest.getOrDefault(partition, 0L), ends.getOrDefault(partition, 0L)));
        }
        return Map.copyOf(extents);
    }

    /** Where a history begins in partitions. */
    Map<TopicPartition, Long> starts(Map<TopicPartition, Extent> extents, History history)
            throws InterruptedException, ExecutionException, TimeoutException {
        Map<TopicPartition, Long> starts = new HashMap<>();
        Map<TopicPartition, Long> since = history.from() == null
                ? Map.of()
                : offsets(
                        extents.keySet(), OffsetSpec.forTimestamp(history.from().toEpochMilli()));
        extents.forEach((partition, extent) -> starts.put(
                partition,
                switch (history.extent()) {
                    case WHOLE, REPLAYED -> 0L;
                    case REMAINING -> extent.earliest();
                    case SINCE ->
                        Optional.ofNullable(since.get(partition))
                                .filter(offset -> offset >= 0)
                                .orElse(extent.end());
                }));
        return Map.copyOf(starts);
    }

    private Map<TopicPartition, Long> offsets(Collection<TopicPartition> partitions, OffsetSpec which)
            throws InterruptedException, ExecutionException, TimeoutException {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        partitions.forEach(partition -> asked.put(partition, which));
        Map<TopicPartition, Long> offsets = new HashMap<>();
        for (Map.Entry<TopicPartition, ListOffsetsResultInfo> each : admin.listOffsets(asked, COMMITTED)
                .all()
                .get(ANSWER_MAX.toMillis(), TimeUnit.MILLISECONDS)
                .entrySet()) {
            offsets.put(each.getKey(), each.getValue().offset());
        }
        return offsets;
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
    }
}
