package dev.tributary.relay.sink;

import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.WireHeaders;
import dev.tributary.relay.flow.PositionForm;
import dev.tributary.relay.flow.RelayException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads topics from their ends back to the confirmed position. By the prefix rule, in each partition everything before
 * the last event at or below the confirmed position is older still, so that reading back to one such event is enough.
 */
public final class TopicTails {
    private static final Logger LOG = LoggerFactory.getLogger(TopicTails.class);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration SILENCE_MAX = Duration.ofSeconds(30);
    private static final long FIRST_WINDOW_RECORDS = 1_000;
    private static final long MARKS_READ = 100;

    private final Consumer<byte[], byte[]> consumer;
    private final byte[] source;
    private final Position confirmed;
    private final LongSupplier nanoTime;
    private final DeliveredEvents found;
    private final Set<TopicPartition> reachedConfirmed = new HashSet<>();

    private TopicTails(
            Consumer<byte[], byte[]> consumer,
            String source,
            Position confirmed,
            PositionForm form,
            LongSupplier nanoTime) {
        this.found = new DeliveredEvents(form);
        this.consumer = consumer;
        this.source = ("/" + source).getBytes(StandardCharsets.UTF_8);
        this.confirmed = confirmed;
        this.nanoTime = nanoTime;
    }

    /**
     * Finds the events of {@code source} in {@code topics} that lie at or behind {@code confirmed}.
     *
     * @param confirmed the lowest position that is not known to be in Kafka
     * @param form of the positions that the events are going to be asked for by
     * @throws RelayException if Kafka does not answer
     */
    public static DeliveredEvents read(
            Kafka kafka,
            String source,
            Collection<String> topics,
            Position confirmed,
            PositionForm form,
            LongSupplier nanoTime) {
        String clientId = "tributary-relay-" + source + "-tails";
        try (Consumer<byte[], byte[]> consumer = kafka.consumer(clientId)) {
            TopicTails tails = new TopicTails(consumer, source, confirmed, form, nanoTime);
            tails.readBack(topics);
            return tails.found;
        } catch (KafkaException e) {
            throw Kafka.unavailable(kafka.address(), "read the topics' tails", e);
        }
    }

    /**
     * The last progress mark in the topic of marks; null if there is none.
     *
     * @throws RelayException if Kafka does not answer
     */
    public static @Nullable ProgressMark lastMark(Kafka kafka, String source, LongSupplier nanoTime) {
        TopicPartition marks = new TopicPartition(ProgressMark.topicOf(source), 0);
        String clientId = "tributary-relay-" + source + "-marks";
        try (Consumer<byte[], byte[]> consumer = kafka.consumer(clientId)) {
            consumer.assign(List.of(marks));
            long end = consumer.endOffsets(List.of(marks), REQUEST_TIMEOUT).getOrDefault(marks, 0L);
            long begin =
                    consumer.beginningOffsets(List.of(marks), REQUEST_TIMEOUT).getOrDefault(marks, 0L);
            if (end <= begin) {
                return null;
            }
            // A relay that was frozen may have written an old one after a newer one
            consumer.seek(marks, Math.max(begin, end - MARKS_READ));
            return highestMark(consumer, marks, end, nanoTime);
        } catch (KafkaException e) {
            throw Kafka.unavailable(kafka.address(), "read the last progress mark", e);
        } catch (IOException e) {
            throw new RelayException.Stopped(
                    "topic " + marks.topic() + " holds something that is no progress mark: " + e.getMessage(),
                    "only the relay may write there; delete the topic if it is of no use",
                    e);
        }
    }

    private static @Nullable ProgressMark highestMark(
            Consumer<byte[], byte[]> consumer, TopicPartition marks, long end, LongSupplier nanoTime)
            throws IOException {
        ProgressMark highest = null;
        long deadline = nanoTime.getAsLong() + SILENCE_MAX.toNanos();
        while (consumer.position(marks, REQUEST_TIMEOUT) < end) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                ProgressMark mark = ProgressMark.fromJson(record.value());
                if (highest == null || mark.isAfter(highest)) {
                    highest = mark;
                }
            }
            if (nanoTime.getAsLong() > deadline) {
                throw new org.apache.kafka.common.errors.TimeoutException("no answer for " + SILENCE_MAX);
            }
        }
        return highest;
    }

    private void readBack(Collection<String> topics) {
        List<TopicPartition> partitions = topics.stream()
                .flatMap(topic -> consumer.partitionsFor(topic, REQUEST_TIMEOUT).stream())
                .map(info -> new TopicPartition(info.topic(), info.partition()))
                .toList();
        Map<TopicPartition, Long> begin = consumer.beginningOffsets(partitions, REQUEST_TIMEOUT);
        Map<TopicPartition, Long> to = new HashMap<>(consumer.endOffsets(partitions, REQUEST_TIMEOUT));
        to.forEach(found::endsAt);
        for (long window = FIRST_WINDOW_RECORDS; ; window *= 4) {
            to.entrySet()
                    .removeIf(end -> end.getValue() <= begin.getOrDefault(end.getKey(), 0L)
                            || reachedConfirmed.contains(end.getKey()));
            if (to.isEmpty()) {
                return;
            }
            Map<TopicPartition, Long> from = new HashMap<>();
            for (Map.Entry<TopicPartition, Long> end : to.entrySet()) {
                from.put(end.getKey(), Math.max(begin.getOrDefault(end.getKey(), 0L), end.getValue() - window));
            }
            readBetween(from, to);
            to = from;
        }
    }

    private void readBetween(Map<TopicPartition, Long> from, Map<TopicPartition, Long> to) {
        Map<TopicPartition, Long> unread = new HashMap<>(to);
        consumer.assign(unread.keySet());
        from.forEach(consumer::seek);
        long lastHeard = nanoTime.getAsLong();
        while (!unread.isEmpty()) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                lastHeard = nanoTime.getAsLong();
                TopicPartition partition = new TopicPartition(record.topic(), record.partition());
                if (record.offset() < to.getOrDefault(partition, 0L)) {
                    note(partition, record);
                }
            }
            if (unread.entrySet().removeIf(end -> consumer.position(end.getKey(), REQUEST_TIMEOUT) >= end.getValue())) {
                consumer.assign(unread.keySet());
            }
            if (nanoTime.getAsLong() - lastHeard > SILENCE_MAX.toNanos()) {
                throw new org.apache.kafka.common.errors.TimeoutException("no answer for " + SILENCE_MAX);
            }
        }
    }

    private void note(TopicPartition partition, ConsumerRecord<byte[], byte[]> record) {
        Header recordSource = record.headers().lastHeader(WireHeaders.SOURCE);
        if (recordSource == null || !java.util.Arrays.equals(source, recordSource.value())) {
            return; // somebody else's
        }
        try {
            Position position = Position.parse(text(record, WireHeaders.POSITION));
            byte[] key = record.key() == null ? new byte[0] : record.key();
            if (position.compareTo(confirmed) < 0) {
                reachedConfirmed.add(partition);
                found.lies(key, partition);
            } else {
                found.add(partition, key, position, UUID.fromString(text(record, WireHeaders.ID)));
                if (record.offset() == 0) {
                    found.began(partition.topic());
                }
            }
        } catch (IllegalArgumentException e) {
            LOG.debug("Not the relay's writing: {}-{} at {}", record.topic(), record.partition(), record.offset(), e);
        }
    }

    private static String text(ConsumerRecord<byte[], byte[]> record, String name) {
        Header header = record.headers().lastHeader(name);
        return header == null ? "" : new String(header.value(), StandardCharsets.US_ASCII);
    }
}
