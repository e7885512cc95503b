package dev.tributary.consumer.progress;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.ReadToken;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A source of its own, and what its relay would say of it. */
public final class TestMarks implements AutoCloseable {
    private static final String CLUSTER = "7431234567890123456";

    public final String source = "s" + UUID.randomUUID().toString().replace("-", "");
    private final Admin admin;
    private final KafkaProducer<byte[], byte[]> producer;
    private int timeline = 1;

    public TestMarks(LocalKafka kafka) {
        Map<String, Object> settings = Map.of("bootstrap.servers", kafka.bootstrapServers());
        admin = Admin.create(settings);
        producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    public void createTopic() throws Exception {
        admin.createTopics(List.of(new NewTopic(ProgressMark.topicOf(source), 1, (short) 1)))
                .all()
                .get();
    }

    void failOver() {
        timeline++;
    }

    /** Of what is to be in Kafka once {@link #say} has said so. */
    public ReadToken token(long lsn) {
        return ReadToken.of(new ReadToken.Write(source, CLUSTER, timeline, lsn, System.currentTimeMillis()));
    }

    /** Says that everything up to {@code lsn} lies below where the topic ends now. */
    public void say(long lsn, String topic, int partitions) throws Exception {
        Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
        for (int i = 0; i < partitions; i++) {
            latest.put(new TopicPartition(topic, i), OffsetSpec.latest());
        }
        Map<Integer, Long> ends = new HashMap<>();
        admin.listOffsets(latest)
                .all()
                .get()
                .forEach((partition, end) -> ends.put(partition.partition(), end.offset()));
        ProgressMark mark = new ProgressMark(
                source,
                1,
                lsn,
                System.currentTimeMillis(),
                Map.of(topic, ends),
                new ProgressMark.History(CLUSTER, timeline, 0));
        producer.send(new ProducerRecord<>(
                        ProgressMark.topicOf(source), source.getBytes(StandardCharsets.UTF_8), mark.toJson()))
                .get();
    }

    @Override
    public void close() {
        producer.close();
        admin.close();
    }
}
