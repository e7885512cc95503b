package dev.tributary.relay.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.Replay;
import dev.tributary.relay.flow.PositionForm;
import dev.tributary.relay.flow.RelayException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whoever reads of Kafka what was noted there ends when Kafka brings nothing more, and not before. */
@Timeout(120)
class ReadToEndsTest {
    private static final String SOURCE = "read-to-ends";
    private static final String EVENTS = SOURCE + ".order";
    private static final int RECORDS = 20;
    /** So that two records without an answer in between are longer apart than a reader waits. */
    private static final long RECORD_NANOS = Duration.ofSeconds(20).toNanos();

    private final Map<String, Object> properties =
            new HashMap<>(Map.of("bootstrap.servers", LocalKafka.shared().bootstrapServers()));
    private final AtomicLong nanos = new AtomicLong();

    @BeforeAll
    static void write() throws Exception {
        Map<String, Object> servers =
                Map.of("bootstrap.servers", LocalKafka.shared().bootstrapServers());
        try (Topics topics = new KafkaClients(servers).topics(SOURCE);
                KafkaProducer<byte[], byte[]> producer =
                        new KafkaProducer<>(servers, new ByteArraySerializer(), new ByteArraySerializer())) {
            topics.ensure(EVENTS);
            topics.ensureMarks(ProgressMark.topicOf(SOURCE));
            topics.ensureMarks(Replay.TOPIC);
            for (String topic : List.of(EVENTS, ProgressMark.topicOf(SOURCE), Replay.TOPIC)) {
                for (int i = 0; i < RECORDS; i++) {
                    producer.send(new ProducerRecord<>(topic, 0, new byte[] {1}, new byte[] {1}))
                            .get();
                }
            }
        }
    }

    @Test
    void whoeverReadsEndsWhenKafkaBringsNothingMore() {
        // The broker waits for more than it has
        properties.putAll(Map.of("fetch.min.bytes", Integer.MAX_VALUE, "fetch.max.wait.ms", 25_000));
        Kafka kafka = new KafkaClients(properties);
        Position start = Position.START;
        ends(() -> new ReplayTopic(properties, "any", this::secondsLater).noted());
        ends(() -> EventsBetween.read(kafka, SOURCE, Set.of(EVENTS), start, null, this::secondsLater));
        ends(() -> PublishedMarks.read(kafka, SOURCE, this::secondsLater));
        ends(() -> TopicTails.read(
                kafka, SOURCE, Set.of(EVENTS), start, PositionForm.COMMIT_START, null, this::secondsLater));
    }

    private void ends(ThrowingCallable reading) {
        assertThatThrownBy(reading)
                .isExactlyInstanceOf(RelayException.class)
                .hasMessageContaining("Kafka at " + properties.get("bootstrap.servers"))
                .hasMessageContaining("no answer for 30 s")
                .satisfies(failure -> assertThat(((RelayException) failure).remedy())
                        .contains("run")
                        .contains("again"));
    }

    private long secondsLater() {
        return nanos.addAndGet(TimeUnit.SECONDS.toNanos(20));
    }

    @Test
    void howeverLongItTakesWhatKafkaBringsIsReadToTheEnd() {
        properties.put("max.poll.records", 1);
        List<Long> offsets = new ArrayList<>();
        TopicPartition partition = new TopicPartition(EVENTS, 0);
        try (Consumer<byte[], byte[]> consumer = new KafkaClients(properties).consumer("slow")) {
            ReadToEnds.run(
                    consumer, Map.of(partition, 2L), Map.of(partition, (long) RECORDS - 1), nanos::get, record -> {
                        offsets.add(record.offset());
                        nanos.addAndGet(RECORD_NANOS);
                    });
        }
        assertThat(offsets).hasSize(RECORDS - 3).isSorted().startsWith(2L).endsWith(RECORDS - 2L);
    }
}
