package dev.tributary.consumer;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/**
 * Asks Kafka what a consumer does not tell: which topic stands behind a name, and from where to where a partition
 * reaches. Thread-safe.
 */
final class TopicProbe implements AutoCloseable {
    private static final Duration ANSWER_MAX = Duration.ofSeconds(15);
    private static final ListOffsetsOptions COMMITTED = new ListOffsetsOptions(IsolationLevel.READ_COMMITTED);

    private final Admin admin;
    private final Set<String> topics;
    private final Map<String, String> topicIds = new ConcurrentHashMap<>();
    private final Map<TopicPartition, Long> ends = new ConcurrentHashMap<>();
    private final Map<String, Throwable> problems = new ConcurrentHashMap<>();
    private final AtomicInteger unanswered = new AtomicInteger();
    private volatile boolean answered;

    TopicProbe(Map<String, Object> kafka, Set<String> topics) {
        this.admin = Admin.create(KafkaSettings.forAdmin(kafka));
        this.topics = topics;
    }

    /** A partition as Kafka has it: offsets {@code earliest} (included) to {@code end} (excluded) of one topic. */
    record Extent(String topicId, long earliest, long end) {}

    /** Asks now. */
    Extent extent(TopicPartition partition) throws InterruptedException, ExecutionException, TimeoutException {
        KafkaFuture<TopicDescription> topic = Objects.requireNonNull(admin.describeTopics(List.of(partition.topic()))
                .topicNameValues()
                .get(partition.topic()));
        var earliest = admin.listOffsets(Map.of(partition, OffsetSpec.earliest()), COMMITTED)
                .partitionResult(partition);
        var end = admin.listOffsets(Map.of(partition, OffsetSpec.latest()), COMMITTED)
                .partitionResult(partition);
        return new Extent(
                answer(topic).topicId().toString(),
                answer(earliest).offset(),
                answer(end).offset());
    }

    /** A record, by its place and its time in milliseconds since the epoch. */
    record Found(long offset, long time) {}

    /** The first record of that time or a later one; null if there is none. Asks now. */
    @Nullable
    Found firstSince(TopicPartition partition, Instant time)
            throws InterruptedException, ExecutionException, TimeoutException {
        var first = answer(admin.listOffsets(Map.of(partition, OffsetSpec.forTimestamp(time.toEpochMilli())), COMMITTED)
                .partitionResult(partition));
        return first.offset() < 0 ? null : new Found(first.offset(), first.timestamp());
    }

    /** Asks again without waiting for the answers, unless the last ones are still out. */
    void refresh(Collection<TopicPartition> assigned) {
        if (!unanswered.compareAndSet(0, topics.size() + 1)) {
            return;
        }
        admin.describeTopics(topics).topicNameValues().forEach((topic, future) -> {
            var unused = future.whenComplete((description, error) -> learnTopic(topic, description, error));
        });
        Map<TopicPartition, OffsetSpec> latest =
                assigned.stream().collect(Collectors.toMap(partition -> partition, partition -> OffsetSpec.latest()));
        var unused = admin.listOffsets(latest, COMMITTED).all().whenComplete(this::learnEnds);
    }

    private void learnTopic(String topic, @Nullable TopicDescription description, @Nullable Throwable error) {
        if (description == null) {
            problems.put(topic, error == null ? new KafkaException("no answer") : error);
            topicIds.remove(topic);
        } else {
            problems.remove(topic);
            topicIds.put(topic, description.topicId().toString());
        }
        answered = true;
        unanswered.decrementAndGet();
    }

    private void learnEnds(
            @Nullable Map<TopicPartition, ListOffsetsResult.ListOffsetsResultInfo> found, @Nullable Throwable error) {
        if (found != null) {
            found.forEach((partition, info) -> ends.put(partition, info.offset()));
        }
        unanswered.decrementAndGet();
    }

    /** The topic's id as of the last refresh; null if not known. */
    @Nullable
    String topicId(String topic) {
        return topicIds.get(topic);
    }

    /** The partition's end as of the last refresh; null if not known. */
    @Nullable
    Long end(TopicPartition partition) {
        return ends.get(partition);
    }

    /** Whether Kafka has been heard of, well or badly. */
    boolean hasAnswered() {
        return answered;
    }

    /** What keeps events from coming, in a sentence; empty if nothing does, as of the last refresh. */
    String problem() {
        Set<String> missing = new TreeSet<>();
        for (Map.Entry<String, Throwable> each : problems.entrySet()) {
            if (!(each.getValue() instanceof UnknownTopicOrPartitionException)) {
                return "cannot reach Kafka: " + Failures.describe(each.getValue());
            }
            missing.add(each.getKey());
        }
        return missing.isEmpty() ? "" : "waiting for topics that do not exist yet: " + String.join(", ", missing);
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
    }

    private static <T> T answer(KafkaFuture<T> future)
            throws InterruptedException, ExecutionException, TimeoutException {
        return future.get(ANSWER_MAX.toMillis(), TimeUnit.MILLISECONDS);
    }
}
