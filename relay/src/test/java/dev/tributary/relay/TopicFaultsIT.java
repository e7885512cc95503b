package dev.tributary.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What people do to topics while the relay writes to them. */
@Timeout(600)
class TopicFaultsIT {
    private static final int DELIVERY_TIMEOUT_MS = 3_000;
    private static final Duration SOON = Duration.ofMinutes(2);

    private SourceUnderTest source;
    private Admin admin;

    @BeforeEach
    void open() throws SQLException {
        source = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared());
        source.kafkaProperties.put("metadata.max.age.ms", 500);
        admin = Admin.create(Map.of("bootstrap.servers", LocalKafka.shared().bootstrapServers()));
    }

    /** So that the relay gives up soon what it sends to a topic that is gone. */
    private void giveTopicsUpSoon() {
        source.kafkaProperties.put("delivery.timeout.ms", DELIVERY_TIMEOUT_MS);
        source.kafkaProperties.put("request.timeout.ms", DELIVERY_TIMEOUT_MS / 2);
        source.kafkaProperties.put("max.block.ms", DELIVERY_TIMEOUT_MS);
    }

    @AfterEach
    void close() throws SQLException {
        admin.close();
        source.close();
    }

    @Test
    void aTopicThatIsDeletedStopsTheSourceAndItsRemedyHelps() throws Exception {
        giveTopicsUpSoon();
        Relay relay = source.startRelay();
        publishUntilMarked();
        admin.deleteTopics(List.of(topic())).all().get();
        publish();
        awaitStopped(relay, "does not exist any more");
        relay.close();
        admin.deleteTopics(List.of("tributary.progress." + source.config.name()))
                .all()
                .get();
        Relay next = source.startRelay();
        await().atMost(SOON).until(() -> next.status().state() == SourceState.STREAMING);
        await().atMost(SOON).until(() -> source.topics.size() == 1);
    }

    @Test
    void aTopicThatIsDeletedAndCreatedAnewWhileTheRelayRunsStopsTheSource() throws Exception {
        giveTopicsUpSoon();
        Relay relay = source.startRelay();
        publishUntilMarked();
        admin.deleteTopics(List.of(topic())).all().get();
        await().atMost(SOON).until(this::create);
        publish();
        awaitStopped(relay, "created anew or cut short");
        assertThat(relay.status().remedy()).contains("progress marks");
    }

    @Test
    void aTopicThatIsDeletedAndCreatedAnewWhileNoRelayRunsStopsTheSource() throws Exception {
        Relay relay = source.startRelay();
        publishUntilMarked();
        relay.close();
        admin.deleteTopics(List.of(topic())).all().get();
        await().atMost(SOON).until(this::create);
        awaitStopped(source.startRelay(), "created anew or cut short");
    }

    /** Aggregates move to other partitions, in which consumers see them out of order; but nothing is lost or doubled. */
    @Test
    void partitionsAreAddedWhileTheRelayWritesAndRestarts() throws Exception {
        Relay relay = source.startRelay();
        publishUntilMarked();
        String topic = topic();
        try (WritersUnderTest writers = new WritersUnderTest(source, 2)) {
            for (int partitions = 7; partitions < 11; partitions++) {
                long goal = writers.commits() + 150;
                await().atMost(SOON).until(() -> writers.commits() >= goal);
                admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(partitions)))
                        .all()
                        .get();
                relay.close();
                relay = source.startRelay();
            }
        }
        source.topics.awaitOneOfEach(source);
    }

    @Test
    void anEventThatDoesNotFitIntoASegmentStopsTheSourceByName() throws Exception {
        source.kafkaProperties.put("max.request.size", 4 << 20);
        NewTopic small = new NewTopic(topic(), 1, (short) 1)
                .configs(Map.of("segment.bytes", "1048576", "max.message.bytes", "4194304"));
        admin.createTopics(List.of(small)).all().get();
        Relay relay = source.startRelay();
        publish();
        source.topics.awaitExactly(source);
        source.execute("INSERT INTO tributary.outbox (id, aggregate_type, aggregate_id, type, content_type, payload,"
                + " occurred_at) SELECT gen_random_uuid(), 'order', '2', 'a.v1', 'application/octet-stream',"
                // Which cannot be compressed
                + " string_agg(decode(md5(i::text), 'hex'), ''), now() FROM generate_series(1, 90000) i");
        String id = source.text("SELECT id FROM tributary.outbox WHERE aggregate_id = '2'");
        awaitStopped(relay, "Kafka refuses event " + id);
        assertThat(relay.status().remedy()).contains("segment.bytes");
    }

    /** A relay that was frozen and comes back sends what it had in its buffers, behind what another one has sent since. */
    @Test
    void howeverManyStaleRepeatsThereAreNothingBehindTheSlotIsSentAgain() throws Exception {
        Relay first = source.startRelay();
        source.execute("SELECT tributary.publish('order', '1', 'a.v1', '{}') FROM generate_series(1, 1500)");
        source.topics.awaitOneOfEach(source);
        first.close();
        List<ConsumerRecord<byte[], byte[]>> stale = source.topics.records();
        String slot = source.config.slot();
        source.execute("SELECT pg_copy_logical_replication_slot('" + slot + "', '" + slot + "_before')");
        Relay second = source.startRelay();
        for (int i = 0; i < 5; i++) {
            publish();
        }
        source.topics.awaitOneOfEach(source);
        second.close();
        sendAgain(stale);
        source.dropSlot(); // a server that crashed: back to its last checkpoint
        source.execute("SELECT pg_copy_logical_replication_slot('" + slot + "_before', '" + slot + "')");
        source.execute("SELECT pg_drop_replication_slot('" + slot + "_before')");

        source.startRelay();
        publish();
        await().atMost(SOON).until(() -> source.topics.size() >= 2 * 1500 + 6);
        assertThat(source.topics.records())
                .extracting(record -> TopicsUnderTest.header(record, "ce_sequence"))
                .filteredOn(sequence -> Integer.parseInt(sequence) > 1500)
                .containsExactly("1501", "1502", "1503", "1504", "1505", "1506");
    }

    @SuppressWarnings("FutureReturnValueIgnored") // closing waits for all of them
    private void sendAgain(List<ConsumerRecord<byte[], byte[]>> stale) {
        Map<String, Object> patient =
                Map.of("bootstrap.servers", LocalKafka.shared().bootstrapServers());
        try (Producer<byte[], byte[]> woken =
                new KafkaProducer<>(patient, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (ConsumerRecord<byte[], byte[]> record : stale) {
                woken.send(new ProducerRecord<>(
                        record.topic(),
                        record.partition(),
                        record.timestamp(),
                        record.key(),
                        record.value(),
                        record.headers()));
            }
        }
    }

    private String topic() {
        return source.config.name() + ".order";
    }

    /** Deleting takes its time. */
    private boolean create() throws InterruptedException {
        try {
            admin.createTopics(List.of(new NewTopic(topic(), 6, (short) 1)))
                    .all()
                    .get();
            return true;
        } catch (ExecutionException e) {
            assertThat(e).hasCauseInstanceOf(TopicExistsException.class);
            return false;
        }
    }

    private void publish() throws SQLException {
        source.execute("SELECT tributary.publish('order', '1', 'a.v1', '{}')");
    }

    private void publishUntilMarked() throws SQLException {
        publish();
        await().atMost(SOON)
                .ignoreExceptions()
                .until(() -> source.topics.lastMark().offsets().getOrDefault(topic(), Map.of()).values().stream()
                        .anyMatch(offset -> offset > 0));
    }

    private static void awaitStopped(Relay relay, String reason) {
        await().atMost(SOON).untilAsserted(() -> {
            assertThat(relay.status().state()).isEqualTo(SourceState.STOPPED);
            assertThat(relay.status().reason()).contains(reason);
        });
    }
}
