package dev.tributary.relay.sink;

import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.WireHeaders;
import dev.tributary.relay.flow.PositionForm;
import dev.tributary.relay.flow.RelayException;
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
 * Reads the topics' ends, as far back as events from the confirmed position on may lie. A progress mark tells exactly where
 * that is. Without one they are read from their ends back to an event below the confirmed position: by the prefix rule
 * everything before that is older still, unless it is a repeat, of which there may be many when a frozen relay comes back.
 */
public final class TopicTails {
    private static final Logger LOG = LoggerFactory.getLogger(TopicTails.class);
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);

    private final Consumer<byte[], byte[]> consumer;
    private final byte[] source;
    private final Position confirmed;
    private final LongSupplier nanoTime;
    private final long firstWindow;
    private final DeliveredEvents found;
    private final Set<TopicPartition> reachedConfirmed = new HashSet<>();

    private TopicTails(
            Consumer<byte[], byte[]> consumer,
            String source,
            Position confirmed,
            PositionForm form,
            long firstWindow,
            LongSupplier nanoTime) {
        this.firstWindow = firstWindow;
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
     * @param mark one that was written when none of these events was in Kafka; null if none is known
     * @throws RelayException if Kafka does not answer
     */
    public static DeliveredEvents read(
            Kafka kafka,
            String source,
            Collection<String> topics,
            Position confirmed,
            PositionForm form,
            @Nullable ProgressMark mark,
            LongSupplier nanoTime) {
        String clientId = "tributary-relay-" + source + "-tails";
        try (Consumer<byte[], byte[]> consumer = kafka.consumer(clientId)) {
            TopicTails tails = new TopicTails(consumer, source, confirmed, form, kafka.tailRecords(), nanoTime);
            tails.readEnds(topics, mark);
            return tails.found;
        } catch (KafkaException e) {
            throw Kafka.unavailable(kafka.address(), "read the topics' tails", e);
        }
    }

    private void readEnds(Collection<String> topics, @Nullable ProgressMark mark) {
        List<TopicPartition> partitions = topics.stream()
                .flatMap(topic -> consumer.partitionsFor(topic, REQUEST_TIMEOUT).stream())
                .map(info -> new TopicPartition(info.topic(), info.partition()))
                .toList();
        Map<TopicPartition, Long> begin = consumer.beginningOffsets(partitions, REQUEST_TIMEOUT);
        Map<TopicPartition, Long> to = new HashMap<>(consumer.endOffsets(partitions, REQUEST_TIMEOUT));
        to.forEach(found::endsAt);
        if (mark == null) {
            readBack(begin, to);
        } else {
            Map<TopicPartition, Long> from = new HashMap<>();
            to.forEach((partition, end) -> {
                long marked = mark.offsets()
                        .getOrDefault(partition.topic(), Map.of())
                        .getOrDefault(partition.partition(), 0L);
                long window = Math.min(marked, end - firstWindow);
                from.put(partition, Math.max(begin.getOrDefault(partition, 0L), window));
            });
            readBetween(from, to);
        }
    }

    private void readBack(Map<TopicPartition, Long> begin, Map<TopicPartition, Long> ends) {
        Map<TopicPartition, Long> to = ends;
        for (long window = firstWindow; ; window *= 4) {
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
        ReadToEnds.run(consumer, from, to, nanoTime, this::note);
    }

    private void note(ConsumerRecord<byte[], byte[]> record) {
        TopicPartition partition = new TopicPartition(record.topic(), record.partition());
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
