package dev.tributary.consumer;

import dev.tributary.consumer.RecordBuffer.Seek;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.LogTruncationException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One consumer and the workers of the partitions that it was given. Belongs to the polling thread, which never waits
 * for a handler except, for a bounded time, when a partition is taken away.
 */
final class KafkaSession implements ConsumerRebalanceListener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KafkaSession.class);
    private static final Duration POLL_MAX = Duration.ofMillis(200);
    private static final Duration PROBE_EVERY = Duration.ofSeconds(3);
    private static final Duration SHOW_OFFSETS_EVERY = Duration.ofSeconds(1);
    private static final Duration LEAVE_MAX = Duration.ofSeconds(2);

    private final SubscriptionConfig config;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final TopicProbe probe;
    private final Function<TopicPartition, LiveCounters> counters;
    private final Runnable afterCommit;
    private final @Nullable ReplayedHistory history;
    private final boolean readsHistory;
    private final Map<TopicPartition, PartitionWorker> workers = new ConcurrentHashMap<>();
    private final Map<TopicPartition, Long> shown = new HashMap<>();
    private long probedAt = System.nanoTime() - PROBE_EVERY.toNanos();
    private long shownAt = System.nanoTime();

    /** @throws KafkaException if the settings are wrong, or no bootstrap server's name can be resolved */
    KafkaSession(
            SubscriptionConfig config,
            Function<TopicPartition, LiveCounters> counters,
            Runnable afterCommit,
            @Nullable ReplayedHistory history) {
        this.config = config;
        this.history = history;
        this.readsHistory = history != null && !history.isOver();
        Set<String> topics = new HashSet<>(config.topics());
        if (readsHistory && history != null) {
            topics.addAll(history.topics());
        }
        this.counters = counters;
        this.afterCommit = afterCommit;
        probe = new TopicProbe(config.kafka(), topics);
        Map<String, Object> settings = new HashMap<>(config.kafka());
        settings.putIfAbsent(ConsumerConfig.CLIENT_ID_CONFIG, "tributary-" + config.name() + "-" + UUID.randomUUID());
        try {
            consumer = new KafkaConsumer<>(settings);
        } catch (KafkaException e) {
            probe.close();
            throw e;
        }
        consumer.subscribe(topics, this);
    }

    /** Whether what is to be read has changed. */
    boolean isOutdated() {
        return history != null && readsHistory == history.isOver();
    }

    /** Hands out what has come, and does what workers have asked for. */
    void poll() {
        probeIfDue();
        workers.forEach(this::serve);
        showOffsetsIfDue();
        try {
            hand(consumer.poll(POLL_MAX));
        } catch (WakeupException e) {
            LOG.trace("{}: woken", config.name());
        } catch (LogTruncationException e) {
            LOG.warn("{}: {}", config.name(), e.getMessage());
            e.partitions()
                    .forEach(partition ->
                            truncated(partition, e.divergentOffsets().get(partition)));
        } catch (OffsetOutOfRangeException e) {
            LOG.warn("{}: {}", config.name(), e.getMessage());
            e.partitions().forEach(partition -> {
                PartitionWorker worker = workers.get(partition);
                if (worker != null) {
                    worker.reopen();
                }
            });
        }
    }

    private void truncated(TopicPartition partition, @Nullable OffsetAndMetadata divergent) {
        PartitionWorker worker = workers.get(partition);
        if (worker != null) {
            // Otherwise every poll would fail again
            consumer.seek(partition, 0);
            worker.truncated(divergent == null ? 0 : divergent.offset());
        }
    }

    private void hand(ConsumerRecords<byte[], byte[]> records) {
        for (TopicPartition partition : records.partitions()) {
            PartitionWorker worker = workers.get(partition);
            if (worker != null) {
                List<ConsumerRecord<byte[], byte[]>> polled = records.records(partition);
                OptionalLong lag = consumer.currentLag(partition);
                long next = polled.get(polled.size() - 1).offset() + 1;
                worker.offer(polled, lag.isPresent() ? next + lag.getAsLong() : null);
            }
        }
    }

    private void serve(TopicPartition partition, PartitionWorker worker) {
        Seek seek = worker.takeSeek();
        if (seek != null) {
            consumer.seek(partition, seek.offset());
            worker.accept(seek);
        }
        boolean paused = consumer.paused().contains(partition);
        boolean wantsMore = worker.wantsMore();
        if (paused && wantsMore) {
            consumer.resume(Set.of(partition));
        } else if (!paused && !wantsMore) {
            consumer.pause(Set.of(partition));
        }
    }

    private void probeIfDue() {
        if (System.nanoTime() - probedAt >= PROBE_EVERY.toNanos()) {
            probedAt = System.nanoTime();
            workers.forEach(
                    (partition, worker) -> worker.probed(probe.topicId(partition.topic()), probe.end(partition)));
            probe.refresh(workers.keySet());
        }
    }

    /** For lag tools only; nothing here ever reads them back. */
    private void showOffsetsIfDue() {
        if (System.nanoTime() - shownAt >= SHOW_OFFSETS_EVERY.toNanos()) {
            shownAt = System.nanoTime();
            Map<TopicPartition, OffsetAndMetadata> offsets = unshown(workers.keySet());
            if (!offsets.isEmpty()) {
                consumer.commitAsync(offsets, (all, error) -> {
                    if (error != null) {
                        LOG.debug("{}: offsets not shown to Kafka", config.name(), error);
                    }
                });
            }
        }
    }

    private Map<TopicPartition, OffsetAndMetadata> unshown(Collection<TopicPartition> partitions) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (TopicPartition partition : partitions) {
            PartitionWorker worker = workers.get(partition);
            Long offset = worker == null ? null : worker.committedOffset();
            if (offset != null && !offset.equals(shown.put(partition, offset))) {
                offsets.put(partition, new OffsetAndMetadata(offset));
            }
        }
        return offsets;
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
        for (TopicPartition partition : assigned) {
            // Any place will do until the database has said the right one; without one the consumer would ask Kafka
            consumer.seek(partition, 0);
            consumer.pause(Set.of(partition));
            PartitionWorker worker = new PartitionWorker(
                    config, partition, probe, counters.apply(partition), consumer::wakeup, afterCommit, history);
            workers.put(partition, worker);
            worker.start();
        }
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> revoked) {
        end(revoked);
        Map<TopicPartition, OffsetAndMetadata> offsets = unshown(revoked);
        forget(revoked);
        if (!offsets.isEmpty()) {
            try {
                consumer.commitSync(offsets, LEAVE_MAX);
            } catch (KafkaException e) {
                LOG.debug("{}: offsets not shown to Kafka", config.name(), e);
            }
        }
    }

    /** Someone else has them already, and the database keeps us out; cutting only spares him the wait. */
    @Override
    public void onPartitionsLost(Collection<TopicPartition> lost) {
        LOG.warn("{}: lost {}: the group has gone on without this instance", config.name(), lost);
        for (TopicPartition partition : lost) {
            PartitionWorker worker = workers.get(partition);
            if (worker != null) {
                worker.end();
                worker.cut();
            }
        }
        forget(lost);
    }

    private void end(Collection<TopicPartition> partitions) {
        List<PartitionWorker> ending = workers.entrySet().stream()
                .filter(each -> partitions.contains(each.getKey()))
                .map(Map.Entry::getValue)
                .toList();
        ending.forEach(PartitionWorker::end);
        long deadline = System.nanoTime() + config.timeouts().close().toNanos();
        try {
            for (PartitionWorker worker : ending) {
                if (!worker.awaitEnd(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())))) {
                    worker.cut();
                }
            }
        } catch (InterruptedException e) {
            ending.forEach(PartitionWorker::cut);
            Thread.currentThread().interrupt();
        }
    }

    private void forget(Collection<TopicPartition> partitions) {
        workers.keySet().removeAll(partitions);
        shown.keySet().removeAll(partitions);
    }

    /** Ends {@link #poll} early; for other threads. */
    void wake() {
        consumer.wakeup();
    }

    /** For any thread. */
    List<PartitionStatus> partitions() {
        return workers.values().stream().map(PartitionWorker::status).toList();
    }

    /** For any thread. */
    TopicProbe probe() {
        return probe;
    }

    @Override
    public void close() {
        end(Set.copyOf(workers.keySet()));
        try {
            consumer.close(CloseOptions.timeout(LEAVE_MAX));
        } catch (KafkaException e) {
            LOG.debug("{}: left the group without a word", config.name(), e);
        } finally {
            probe.close();
        }
    }
}
