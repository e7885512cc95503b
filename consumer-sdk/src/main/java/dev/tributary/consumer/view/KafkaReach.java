package dev.tributary.consumer.view;

import dev.tributary.consumer.view.KafkaExtents.Extent;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * From where to where the topics of a view reach, as Kafka said when it was last asked. Asked by one thread; any may ask for
 * {@link #extents}.
 */
final class KafkaReach implements AutoCloseable {
    private static final Duration ASK_EVERY = Duration.ofSeconds(2);

    private final Map<String, Object> settings;
    private final Set<String> topics;
    private final Collection<ViewVersion> versions;
    private volatile Map<TopicPartition, Extent> extents = Map.of();
    private Map<Integer, Map<TopicPartition, Long>> starts = Map.of();
    private long askAt = System.nanoTime();
    private @Nullable KafkaExtents kafka;
    private String problem = "";

    /** @param versions whose histories begin somewhere in these topics */
    KafkaReach(Map<String, Object> settings, Set<String> topics, Collection<ViewVersion> versions) {
        this.settings = settings;
        this.topics = topics;
        this.versions = versions;
    }

    /** Asks unless it has done so lately; false if there is nothing new. */
    boolean askIfDue() throws InterruptedException {
        long now = System.nanoTime();
        if (now < askAt) {
            return false;
        }
        askAt = now + ASK_EVERY.toNanos();
        try {
            ask();
            problem = "";
            return true;
        } catch (ExecutionException | TimeoutException | KafkaException e) {
            problem = "Kafka does not say how far its topics reach: "
                    + (e.getCause() == null ? e : e.getCause()).getMessage();
            return false;
        }
    }

    private void ask() throws InterruptedException, ExecutionException, TimeoutException {
        // Cannot even be made while none of the brokers' names is known
        KafkaExtents asked = kafka == null ? new KafkaExtents(settings) : kafka;
        kafka = asked;
        Map<TopicPartition, Extent> found = asked.of(topics);
        Map<Integer, Map<TopicPartition, Long>> begins = new HashMap<>();
        for (ViewVersion version : versions) {
            begins.put(version.number(), asked.starts(found, version.history()));
        }
        starts = begins;
        extents = found;
    }

    /** Why it does not know; empty if it does. */
    String problem() {
        return problem;
    }

    /** Empty as long as it has not been told. */
    Map<TopicPartition, Extent> extents() {
        return extents;
    }

    Map<TopicPartition, Long> ends() {
        return extents.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, each -> each.getValue()
                .end()));
    }

    /** Where a version's history begins. */
    Map<TopicPartition, Long> starts(int version) {
        return starts.getOrDefault(version, Map.of());
    }

    @Override
    public void close() {
        if (kafka != null) {
            kafka.close();
        }
    }
}
