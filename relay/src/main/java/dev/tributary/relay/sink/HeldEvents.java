package dev.tributary.relay.sink;

import dev.tributary.outbox.wire.WireHeaders;
import dev.tributary.relay.flow.RelayException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/**
 * Which events of a source Kafka holds that committed since some time: their ids, and how far each aggregate's sequence
 * goes. Not thread-safe.
 */
public final class HeldEvents {
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);

    private final Kafka kafka;
    private final String clientId;
    private final byte[] source;
    private final @Nullable Instant since;
    private final LongPairTable ids = LongPairTable.ofKeys();
    private final LongPairTable sequences = LongPairTable.ofNumbers();
    private final MessageDigest digest = md5();
    private final Map<TopicPartition, Long> readTo = new HashMap<>();
    private final Map<TopicPartition, Instant> completeFrom = new HashMap<>();

    /**
     * Reads nothing yet.
     *
     * @param since what was sent to Kafka before is passed over; null to read everything
     */
    public HeldEvents(Kafka kafka, String source, @Nullable Instant since) {
        this.kafka = kafka;
        this.clientId = "tributary-relay-" + source + "-held";
        this.source = ("/" + source).getBytes(StandardCharsets.UTF_8);
        this.since = since;
    }

    /**
     * Reads what {@code topics} have got since the last time.
     *
     * @throws RelayException if Kafka does not answer
     */
    public void catchUp(Collection<String> topics) {
        try (Consumer<byte[], byte[]> consumer = kafka.consumer(clientId)) {
            List<TopicPartition> partitions = topics.stream()
                    .flatMap(topic -> consumer.partitionsFor(topic, REQUEST_TIMEOUT).stream())
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, REQUEST_TIMEOUT);
            locate(
                    consumer,
                    partitions.stream().filter(p -> !readTo.containsKey(p)).toList(),
                    ends);
            read(consumer, ends);
        } catch (KafkaException e) {
            throw Kafka.unavailable(kafka.address(), "read the topics", e);
        }
    }

    private void locate(Consumer<byte[], byte[]> consumer, List<TopicPartition> added, Map<TopicPartition, Long> ends) {
        Map<TopicPartition, Long> begins = consumer.beginningOffsets(added, REQUEST_TIMEOUT);
        readTo.putAll(begins);
        if (since != null) {
            Map<TopicPartition, Long> times = new HashMap<>();
            added.forEach(partition -> times.put(partition, since.toEpochMilli()));
            Map<TopicPartition, OffsetAndTimestamp> found = consumer.offsetsForTimes(times, REQUEST_TIMEOUT);
            // None is as late: then all is older
            added.forEach(partition -> readTo.put(
                    partition,
                    found.get(partition) == null
                            ? Long.valueOf(ends.getOrDefault(partition, 0L))
                            : Long.valueOf(found.get(partition).offset())));
        }
        for (TopicPartition partition : added) {
            long begin = begins.getOrDefault(partition, 0L);
            boolean cut = begin > 0 && readTo.getOrDefault(partition, 0L) <= begin;
            boolean empty = begin > 0 && begin >= ends.getOrDefault(partition, 0L);
            completeFrom.put(partition, cut || empty ? Instant.MAX : Instant.MIN);
        }
    }

    private void read(Consumer<byte[], byte[]> consumer, Map<TopicPartition, Long> ends) {
        Map<TopicPartition, Instant> first = new HashMap<>();
        ReadToEnds.run(consumer, readTo, ends, System::nanoTime, record -> {
            note(record);
            first.putIfAbsent(
                    new TopicPartition(record.topic(), record.partition()), Instant.ofEpochMilli(record.timestamp()));
        });
        readTo.putAll(ends);
        first.forEach((partition, time) ->
                completeFrom.computeIfPresent(partition, (same, from) -> from.equals(Instant.MAX) ? time : from));
    }

    private void note(ConsumerRecord<byte[], byte[]> record) {
        Header recordSource = record.headers().lastHeader(WireHeaders.SOURCE);
        Header id = record.headers().lastHeader(WireHeaders.ID);
        if (recordSource == null || id == null || !Arrays.equals(source, recordSource.value())) {
            return; // somebody else's
        }
        try {
            add(UUID.fromString(new String(id.value(), StandardCharsets.US_ASCII)));
        } catch (IllegalArgumentException e) {
            return; // not the relay's writing
        }
        Header subject = record.headers().lastHeader(WireHeaders.SUBJECT);
        Header sequence = record.headers().lastHeader(WireHeaders.SEQUENCE);
        if (subject != null && sequence != null) {
            ByteBuffer key = ByteBuffer.wrap(digest.digest(subject.value()));
            long high = key.getLong();
            long low = key.getLong();
            long number = Long.parseLong(new String(sequence.value(), StandardCharsets.US_ASCII));
            sequences.put(high, low, Math.max(number, sequences.get(high, low)));
        }
    }

    /** Counts {@code id} as one of those that Kafka holds. */
    public void add(UUID id) {
        ids.add(id.getMostSignificantBits(), id.getLeastSignificantBits());
    }

    /** Whether it was among what was read. */
    public boolean has(UUID id) {
        return ids.contains(id.getMostSignificantBits(), id.getLeastSignificantBits());
    }

    /** The last sequence of an aggregate among what was read; 0 if there was none. */
    public long lastSequence(String aggregateType, String aggregateId) {
        byte[] subject = (aggregateType + '/' + aggregateId).getBytes(StandardCharsets.UTF_8);
        ByteBuffer key = ByteBuffer.wrap(digest.digest(subject));
        return sequences.get(key.getLong(), key.getLong());
    }

    /**
     * From when on {@code topic} still has everything that it ever had: {@link Instant#MIN} if, as far as was asked, Kafka
     * has deleted nothing, {@link Instant#MAX} if it has deleted all.
     */
    public Instant completeFrom(String topic) {
        return completeFrom.entrySet().stream()
                .filter(partition -> partition.getKey().topic().equals(topic))
                .map(Map.Entry::getValue)
                .reduce(Instant.MIN, (one, other) -> one.isAfter(other) ? one : other);
    }

    /** Where the topics ended, by topic and partition. */
    public Map<String, Map<Integer, Long>> endOffsets() {
        Map<String, Map<Integer, Long>> offsets = new HashMap<>();
        readTo.forEach((partition, offset) -> offsets.computeIfAbsent(partition.topic(), topic -> new HashMap<>())
                .put(partition.partition(), offset));
        return offsets;
    }

    /** How many events were read. */
    public int size() {
        return ids.size();
    }

    private static MessageDigest md5() {
        try {
            return MessageDigest.getInstance("MD5");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has it", e);
        }
    }
}
