package dev.tributary.consumer;

import dev.tributary.outbox.wire.Replay;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/** Reads what the relay has noted of replayed topics. Thread-safe. */
final class ReplayNotices {
    private static final Duration ANSWER_MAX = Duration.ofSeconds(10);
    private static final Duration POLL_MAX = Duration.ofMillis(200);
    private final Map<String, Object> kafka;

    ReplayNotices(Map<String, Object> consumerSettings) {
        kafka = new HashMap<>(consumerSettings);
        kafka.keySet()
                .removeAll(Set.of(
                        ConsumerConfig.GROUP_ID_CONFIG,
                        ConsumerConfig.GROUP_INSTANCE_ID_CONFIG,
                        ConsumerConfig.GROUP_PROTOCOL_CONFIG,
                        ConsumerConfig.CLIENT_ID_CONFIG));
    }

    /** The first offsets that Kafka still has of these partitions. */
    Map<TopicPartition, Long> earliest(Collection<TopicPartition> partitions) {
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(kafka)) {
            return consumer.beginningOffsets(partitions, ANSWER_MAX);
        }
    }

    /** As it is now, by topic. */
    Map<String, Replay> read() throws IOException {
        TopicPartition partition = new TopicPartition(Replay.TOPIC, 0);
        Map<String, Replay> replays = new HashMap<>();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(kafka)) {
            if (consumer.partitionsFor(Replay.TOPIC, ANSWER_MAX).isEmpty()) {
                return replays;
            }
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition), ANSWER_MAX).getOrDefault(partition, 0L);
            long deadline = System.nanoTime() + ANSWER_MAX.toNanos();
            while (consumer.position(partition, ANSWER_MAX) < end) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL_MAX)) {
                    if (record.key() != null && record.value() != null) {
                        replays.put(new String(record.key(), StandardCharsets.UTF_8), Replay.fromJson(record.value()));
                    }
                }
                if (System.nanoTime() > deadline) {
                    throw new TimeoutException("no answer for " + ANSWER_MAX);
                }
            }
        } catch (org.apache.kafka.common.errors.UnknownTopicOrPartitionException e) {
            return Map.of();
        } catch (KafkaException e) {
            throw new KafkaException("topic " + Replay.TOPIC + ": " + e.getMessage(), e);
        }
        return replays;
    }
}
