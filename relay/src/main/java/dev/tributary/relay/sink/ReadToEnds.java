package dev.tributary.relay.sink;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Reads what partitions held when they were looked at. However much that is, it goes on as long as Kafka brings something: a
 * consumer itself would ask a broker that is away, or for a topic that is deleted, for ever.
 */
final class ReadToEnds {
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration POSITION_MAX = Duration.ofSeconds(10);
    private static final Duration SILENCE_MAX = Duration.ofSeconds(30);

    private final Consumer<byte[], byte[]> consumer;
    private final Map<TopicPartition, Long> unread;
    private final LongSupplier nanoTime;
    private long positions;
    private long movedNanos;

    private ReadToEnds(Consumer<byte[], byte[]> consumer, Map<TopicPartition, Long> unread, LongSupplier nanoTime) {
        this.consumer = consumer;
        this.unread = unread;
        this.nanoTime = nanoTime;
        this.movedNanos = nanoTime.getAsLong();
    }

    /**
     * Gives {@code each} the records from the offsets {@code from} to those before {@code ends}; each partition's in order.
     *
     * @param from of a partition that is not named, from the beginning
     * @throws KafkaException if Kafka brings nothing more; the consumer is closed then
     */
    static void run(
            Consumer<byte[], byte[]> consumer,
            Map<TopicPartition, Long> from,
            Map<TopicPartition, Long> ends,
            LongSupplier nanoTime,
            java.util.function.Consumer<ConsumerRecord<byte[], byte[]>> each) {
        Map<TopicPartition, Long> unread = new HashMap<>(ends);
        unread.entrySet().removeIf(end -> from.getOrDefault(end.getKey(), 0L) >= end.getValue());
        consumer.assign(unread.keySet());
        unread.keySet().forEach(partition -> consumer.seek(partition, from.getOrDefault(partition, 0L)));
        ReadToEnds read = new ReadToEnds(consumer, unread, nanoTime);
        while (!unread.isEmpty()) {
            read.poll(ends, each);
        }
    }

    private void poll(
            Map<TopicPartition, Long> ends, java.util.function.Consumer<ConsumerRecord<byte[], byte[]>> each) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
            if (record.offset() < ends.getOrDefault(new TopicPartition(record.topic(), record.partition()), 0L)) {
                each.accept(record);
            }
        }
        // Not the records alone: where transactions were aborted there may be none for long
        long positionsNow = unread.keySet().stream().mapToLong(this::position).sum();
        if (positionsNow != positions) {
            positions = positionsNow;
            movedNanos = nanoTime.getAsLong();
        }
        if (nanoTime.getAsLong() - movedNanos > SILENCE_MAX.toNanos()) {
            consumer.close(CloseOptions.timeout(Duration.ZERO)); // which would wait for the same answer
            throw new TimeoutException("no answer for " + SILENCE_MAX.toSeconds() + " s");
        }
        if (unread.entrySet().removeIf(end -> position(end.getKey()) >= end.getValue())) {
            consumer.assign(unread.keySet());
        }
    }

    private long position(TopicPartition partition) {
        return consumer.position(partition, POSITION_MAX);
    }
}
