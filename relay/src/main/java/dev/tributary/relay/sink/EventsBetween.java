package dev.tributary.relay.sink;

import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.WireHeaders;
import dev.tributary.relay.flow.RelayException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/**
 * Which of a source's events lie between two positions, as the live topics tell. What Kafka has deleted lies before a
 * position if what it has kept begins before that; otherwise nobody knows, and it is refused.
 */
public final class EventsBetween {
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);

    private final byte[] source;
    private final Position first;
    private final @Nullable Position from;
    private final @Nullable Position to;
    private final Set<UUID> between = new HashSet<>();
    private final Set<UUID> behind = new HashSet<>();
    private final Map<TopicPartition, Position> begins = new HashMap<>();

    private EventsBetween(String source, Position first, @Nullable Position from, @Nullable Position to) {
        this.source = ("/" + source).getBytes(StandardCharsets.UTF_8);
        this.first = first;
        this.from = from;
        this.to = to;
    }

    /**
     * Reads all that the topics hold.
     *
     * @param from those at it or behind it; null for all, of which at least one of both is not
     * @param to those at it or before it; null for all
     * @return asked by an event's id
     * @throws RelayException if Kafka does not answer, or does not have enough of them any more
     */
    public static Predicate<UUID> read(
            Kafka kafka,
            String source,
            Collection<String> topics,
            @Nullable Position from,
            @Nullable Position to,
            LongSupplier nanoTime) {
        Position first = from != null ? from : to;
        if (first == null) {
            return id -> true;
        }
        EventsBetween events = new EventsBetween(source, first, from, to);
        try (Consumer<byte[], byte[]> consumer = kafka.consumer("tributary-relay-" + source + "-between")) {
            events.read(consumer, topics, nanoTime);
        } catch (KafkaException e) {
            throw Kafka.unavailable(kafka.address(), "read the topics", e);
        }
        return from == null ? id -> !events.behind.contains(id) : events.between::contains;
    }

    private void read(Consumer<byte[], byte[]> consumer, Collection<String> topics, LongSupplier nanoTime) {
        List<TopicPartition> partitions = topics.stream()
                .flatMap(topic -> consumer.partitionsFor(topic, REQUEST_TIMEOUT).stream())
                .map(info -> new TopicPartition(info.topic(), info.partition()))
                .toList();
        Map<TopicPartition, Long> earliest = consumer.beginningOffsets(partitions, REQUEST_TIMEOUT);
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, REQUEST_TIMEOUT);
        ReadToEnds.run(consumer, earliest, ends, nanoTime, this::note);
        earliest.forEach((partition, offset) -> {
            Position begin = begins.get(partition);
            if (offset > 0 && (begin == null || begin.isAfter(first))) {
                throw new RelayException.Stopped(
                        "Kafka has deleted everything before offset " + offset + " of " + partition
                                + ", and which events lay behind " + first + " there cannot be told any more",
                        "choose by time instead (--since, --until), or a later position",
                        null);
            }
        });
    }

    private void note(ConsumerRecord<byte[], byte[]> record) {
        Header recordSource = record.headers().lastHeader(WireHeaders.SOURCE);
        if (recordSource == null || !Arrays.equals(source, recordSource.value())) {
            return; // somebody else's
        }
        Position position = Position.parse(text(record, WireHeaders.POSITION));
        UUID id = UUID.fromString(text(record, WireHeaders.ID));
        begins.merge(
                new TopicPartition(record.topic(), record.partition()),
                position,
                (one, other) -> one.isAfter(other) ? other : one);
        if (to != null && position.isAfter(to)) {
            behind.add(id);
        } else if (from != null && !from.isAfter(position)) {
            between.add(id);
        }
    }

    private static String text(ConsumerRecord<byte[], byte[]> record, String name) {
        Header header = record.headers().lastHeader(name);
        return header == null ? "" : new String(header.value(), StandardCharsets.US_ASCII);
    }
}
