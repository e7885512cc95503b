package dev.tributary.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.relay.config.SourceConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/** What Kafka holds of one source, read by a plain consumer, and the invariants it must keep. */
final class TopicsUnderTest {
    private final LocalKafka kafka;
    private final SourceConfig source;

    TopicsUnderTest(LocalKafka kafka, SourceConfig source) {
        this.kafka = kafka;
        this.source = source;
    }

    /** Every record of the source's topics, each partition in order. */
    List<ConsumerRecord<byte[], byte[]>> records() {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        forEachRecord(records::add);
        return records;
    }

    /** As {@link #records}, where they are too many to keep. */
    void forEachRecord(Consumer<ConsumerRecord<byte[], byte[]>> action) {
        Map<String, Object> properties = Map.of(
                "bootstrap.servers",
                kafka.bootstrapServers(),
                "auto.offset.reset",
                "earliest",
                "fetch.max.wait.ms",
                20);
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = partitions(consumer);
            consumer.assign(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            consumer.seekToBeginning(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                consumer.poll(Duration.ofMillis(100)).forEach(action);
            }
        }
    }

    /** How many records there are; cheaper than reading them. */
    long size() {
        Map<String, Object> properties = Map.of("bootstrap.servers", kafka.bootstrapServers());
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            return consumer.endOffsets(partitions(consumer)).values().stream()
                    .mapToLong(Long::longValue)
                    .sum();
        }
    }

    private List<TopicPartition> partitions(KafkaConsumer<byte[], byte[]> consumer) {
        return consumer.listTopics().entrySet().stream()
                .filter(topic -> source.topics().matches(topic.getKey()))
                .flatMap(topic -> topic.getValue().stream())
                .map(info -> new TopicPartition(info.topic(), info.partition()))
                .toList();
    }

    /** Waits until every committed event is there, and then checks that each is there once and in order. */
    void awaitExactly(SourceUnderTest committedIn) throws Exception {
        Map<String, String> committed = committedIn.committed();
        awaitAll(committed.keySet());
        checkExactly(committed, records());
    }

    private void awaitAll(Set<String> committed) {
        await().atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(200))
                .until(() -> size() >= committed.size()
                        && records().stream()
                                .map(record -> header(record, "ce_id"))
                                .collect(Collectors.toSet())
                                .containsAll(committed));
    }

    /** Waits until every committed event is there once, in whatever order: partitions were added. */
    void awaitOneOfEach(SourceUnderTest committedIn) throws Exception {
        Map<String, String> committed = committedIn.committed();
        awaitAll(committed.keySet());
        Map<TopicPartition, Position> last = new HashMap<>();
        Map<String, Integer> copies = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : records()) {
            Position position = Position.parse(header(record, "ce_position"));
            Position before = last.put(new TopicPartition(record.topic(), record.partition()), position);
            assertThat(before == null || position.isAfter(before)).isTrue(); // or readers would drop it
            copies.merge(header(record, "ce_id"), 1, Integer::sum);
        }
        assertThat(copies.keySet().equals(committed.keySet())).isTrue();
        assertThat(copies.values()).allMatch(count -> count == 1);
    }

    /** As {@link #awaitExactly}, but drops first what consumers drop: repeats, at or below the last position. */
    void awaitExactlyButForRepeats(SourceUnderTest committedIn) throws Exception {
        Map<String, String> committed = committedIn.committed();
        awaitAll(committed.keySet());
        Map<TopicPartition, Position> last = new HashMap<>();
        List<ConsumerRecord<byte[], byte[]>> firsts = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> record : records()) {
            TopicPartition partition = new TopicPartition(record.topic(), record.partition());
            Position position = Position.parse(header(record, "ce_position"));
            if (position.isAfter(last.getOrDefault(partition, Position.START))) {
                last.put(partition, position);
                firsts.add(record);
            }
        }
        checkExactly(committed, firsts);
    }

    /** Waits until every committed event is there, once, and positions grow; others may be there, too. */
    void awaitCommittedAmongOthers(SourceUnderTest committedIn) throws Exception {
        Map<String, String> committed = committedIn.committed();
        awaitAll(committed.keySet());
        Map<TopicPartition, Position> last = new HashMap<>();
        Set<String> ids = new HashSet<>();
        for (ConsumerRecord<byte[], byte[]> record : records()) {
            Position position = Position.parse(header(record, "ce_position"));
            Position before = last.put(new TopicPartition(record.topic(), record.partition()), position);
            assertThat(before == null || position.isAfter(before))
                    .as("%s after %s", position, before)
                    .isTrue();
            assertThat(ids.add(header(record, "ce_id"))).as("one copy").isTrue();
        }
    }

    /** The last progress mark; waits until there is one. */
    ProgressMark lastMark() {
        AtomicReference<ProgressMark> last = new AtomicReference<>();
        await().until(() -> {
            last.set(lastMarkIfAny());
            return last.get() != null;
        });
        return last.get();
    }

    private @Nullable ProgressMark lastMarkIfAny() {
        Map<String, Object> properties =
                Map.of("bootstrap.servers", kafka.bootstrapServers(), "auto.offset.reset", "earliest");
        TopicPartition marks = new TopicPartition(ProgressMark.topicOf(source.name()), 0);
        byte[] last = null;
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(marks));
            long end = consumer.endOffsets(List.of(marks)).getOrDefault(marks, 0L);
            while (consumer.position(marks) < end) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                    last = record.value();
                }
            }
            return last == null ? null : ProgressMark.fromJson(last);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private void checkExactly(Map<String, String> committed, List<ConsumerRecord<byte[], byte[]>> records) {
        Map<String, Integer> copies = new HashMap<>();
        Map<String, Long> lastSequence = new HashMap<>();
        Map<TopicPartition, Position> lastPosition = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            String id = header(record, "ce_id");
            assertThat(committed).as("published though never committed").containsKey(id);
            copies.merge(id, 1, Integer::sum);
            Position position = Position.parse(header(record, "ce_position"));
            Position before = lastPosition.put(new TopicPartition(record.topic(), record.partition()), position);
            assertThat(before == null || position.isAfter(before))
                    .as("%s after %s in %s-%d", position, before, record.topic(), record.partition())
                    .isTrue();
            if (record.headers().lastHeader("ce_sequence") != null) {
                long sequence = Long.parseLong(header(record, "ce_sequence"));
                assertThat(sequence)
                        .as(() -> "sequence in " + history(records, header(record, "ce_subject")))
                        .isEqualTo(lastSequence.getOrDefault(header(record, "ce_subject"), 0L) + 1);
                lastSequence.put(header(record, "ce_subject"), sequence);
            }
        }
        Set<String> missing = new HashSet<>(committed.keySet()); // AssertJ's containsAll takes the square of the time
        missing.removeAll(copies.keySet());
        assertThat(missing).as("committed and not in Kafka").isEmpty();
        assertThat(copies.values()).as("one copy of each").allMatch(count -> count == 1);
    }

    private static String history(List<ConsumerRecord<byte[], byte[]>> records, String subject) {
        return subject + ": "
                + records.stream()
                        .filter(record -> header(record, "ce_subject").equals(subject))
                        .map(record -> header(record, "ce_sequence") + " at " + header(record, "ce_position") + " in "
                                + record.topic() + "-" + record.partition() + "@" + record.offset())
                        .toList();
    }

    static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
    }

    void deleteMarks() throws ExecutionException, InterruptedException {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            admin.deleteTopics(Set.of(ProgressMark.topicOf(source.name())))
                    .all()
                    .get();
        }
    }

    void delete() {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            Set<String> names = new HashSet<>(admin.listTopics().names().get());
            names.removeIf(name -> !source.topics().matches(name) && !name.equals(ProgressMark.topicOf(source.name())));
            admin.deleteTopics(names).all().get();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
