package dev.tributary.relay;

import static dev.tributary.relay.TopicsUnderTest.header;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.Replay;
import dev.tributary.relay.replay.Part;
import dev.tributary.relay.sink.ReplayTopic;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** A topic that the history of a source of its own is replayed to, read as readers do. */
final class ReplayUnderTest {
    static final Duration SOON = Duration.ofMinutes(2);

    final SourceUnderTest source;
    final String topic;

    ReplayUnderTest() throws SQLException {
        this.source = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared());
        this.topic = "replay-" + source.config.name();
    }

    private ReplayUnderTest(SourceUnderTest source, String topic) {
        this.source = source;
        this.topic = topic;
    }

    /** To another topic, which goes with this one's. */
    ReplayUnderTest beside(String suffix) {
        return new ReplayUnderTest(source, topic + "-" + suffix);
    }

    List<String> begin() throws SQLException {
        return ReplayProcess.run(source, ReplayProcess.all(topic));
    }

    List<String> begin(Part part) throws SQLException {
        return ReplayProcess.run(source, ReplayProcess.part(topic, part));
    }

    List<String> resume() throws SQLException {
        return ReplayProcess.run(source, ReplayProcess.resuming(ReplayProcess.all(topic)));
    }

    List<String> resumeAcceptingLoss() throws SQLException {
        return ReplayProcess.run(source, ReplayProcess.accepting(ReplayProcess.all(topic)));
    }

    /** In a process of its own. */
    JavaProcess start(long eventsPerSecondMax) {
        return ReplayProcess.start(source, topic, eventsPerSecondMax);
    }

    void publish(String aggregate, int times) throws SQLException {
        source.publish("order", aggregate, times);
    }

    static String publishing(String aggregate) {
        return SourceUnderTest.publishing("order", aggregate);
    }

    /**
     * In the topic is what has a live position before the seam, each event once and each aggregate's by sequence; and what has
     * a later one lies behind the offsets at which live events go on.
     */
    Replay checkSeam() throws Exception {
        await().atMost(SOON).until(() -> noted().complete()); // Kafka shows a moment late what it has committed
        Replay noted = noted();
        // Read after the replay, and so with everything that it holds, as the relay was past its end by then
        Map<String, ConsumerRecord<byte[], byte[]>> live = new HashMap<>();
        source.topics.forEachRecord(record -> live.put(header(record, "ce_id"), record));
        Set<String> expected = new HashSet<>();
        live.forEach((id, record) -> {
            if (Position.parse(header(record, "ce_position")).isAfter(noted.last())) {
                Replay.Live goesOn = Objects.requireNonNull(noted.live().get(record.topic()));
                assertThat(record.offset())
                        .isGreaterThanOrEqualTo(goesOn.offsets().getOrDefault(record.partition(), 0L));
            } else {
                expected.add(id);
            }
        });
        List<ConsumerRecord<byte[], byte[]>> history = records();
        assertThat(ids(history)).isEqualTo(expected);
        assertThat(history).hasSameSizeAs(expected);
        checkOrder(history, live);
        history.forEach(record ->
                assertThat(noted.ends().getOrDefault(record.partition(), 0L)).isGreaterThan(record.offset()));
        return noted;
    }

    private static void checkOrder(
            List<ConsumerRecord<byte[], byte[]>> history, Map<String, ConsumerRecord<byte[], byte[]>> live) {
        Map<String, Long> sequences = new HashMap<>();
        Map<TopicPartition, Position> positions = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : history) {
            ConsumerRecord<byte[], byte[]> original = Objects.requireNonNull(live.get(header(record, "ce_id")));
            assertThat(header(record, "ce_replayof")).isEqualTo(original.topic());
            assertThat(record.value()).isEqualTo(original.value());
            assertThat(record.key()).isEqualTo(original.key());
            for (String same : List.of("ce_type", "ce_subject", "ce_time", "ce_source", "content-type")) {
                assertThat(header(record, same)).isEqualTo(header(original, same));
            }
            Position position = Position.parse(header(record, "ce_position"));
            Position before = positions.put(new TopicPartition(record.topic(), record.partition()), position);
            assertThat(before == null || position.isAfter(before)).isTrue();
            if (record.headers().lastHeader("ce_sequence") != null) {
                long sequence = Long.parseLong(header(record, "ce_sequence"));
                Long last = sequences.put(header(record, "ce_subject"), sequence);
                assertThat(sequence).as(header(record, "ce_subject")).isEqualTo(last == null ? 1 : last + 1);
            }
        }
    }

    Set<String> ids() {
        return ids(records());
    }

    private static Set<String> ids(List<ConsumerRecord<byte[], byte[]>> records) {
        return records.stream().map(record -> header(record, "ce_id")).collect(Collectors.toSet());
    }

    Replay noted() {
        try (ReplayTopic replayed = new ReplayTopic(source.kafkaProperties, topic)) {
            return replayed.noted();
        }
    }

    /** What counts of the topic, partition by partition in order; waits until what has been committed is shown. */
    List<ConsumerRecord<byte[], byte[]>> records() {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> all = consumer("read_uncommitted");
                KafkaConsumer<byte[], byte[]> consumer = consumer("read_committed")) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            consumer.assign(partitions);
            Map<TopicPartition, Long> ends = all.endOffsets(partitions);
            consumer.seekToBeginning(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                consumer.poll(Duration.ofMillis(100)).forEach(records::add);
            }
        }
        return records;
    }

    private KafkaConsumer<byte[], byte[]> consumer(String isolation) {
        Map<String, Object> properties = Map.of(
                "bootstrap.servers",
                source.kafkaProperties.get("bootstrap.servers"),
                "auto.offset.reset",
                "earliest",
                "isolation.level",
                isolation);
        return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", source.kafkaProperties.get("bootstrap.servers")));
    }

    /** Also those beside it. */
    void close() throws Exception {
        source.close();
        try (Admin admin = admin()) {
            Set<String> names = new HashSet<>(admin.listTopics().names().get());
            names.removeIf(name -> !name.startsWith(topic));
            admin.deleteTopics(names).all().get();
        }
    }
}
