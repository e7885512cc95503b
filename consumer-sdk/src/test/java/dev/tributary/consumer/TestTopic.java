package dev.tributary.consumer;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.WireHeaders;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A topic of its own, and what the relay would write to it. */
public final class TestTopic implements AutoCloseable {
    private final String name = "sales.account-" + UUID.randomUUID();
    private final Admin admin;
    private final KafkaProducer<byte[], byte[]> producer;
    private final Map<String, Long> sequences = new HashMap<>();
    private final int partitions;
    private final AtomicReference<Exception> failure = new AtomicReference<>();
    private long lsn;

    public TestTopic(LocalKafka kafka, int partitions) {
        this.partitions = partitions;
        Map<String, Object> settings = Map.of("bootstrap.servers", kafka.bootstrapServers());
        admin = Admin.create(settings);
        // With more in flight, a new topic's first batch may be refused for want of a leader and the second be taken,
        // because the broker does not know the producer yet: out of order, and the first is never taken any more
        Map<String, Object> inOrder = new HashMap<>(settings);
        inOrder.put("max.in.flight.requests.per.connection", 1);
        producer = new KafkaProducer<>(inOrder, new ByteArraySerializer(), new ByteArraySerializer());
        create();
    }

    public String name() {
        return name;
    }

    public TopicPartition partition() {
        return new TopicPartition(name, 0);
    }

    public void create() {
        await(() -> admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1)))
                .all()
                .get());
    }

    public void delete() {
        await(() -> admin.deleteTopics(List.of(name)).all().get());
    }

    public void deleteRecordsBefore(long offset) {
        await(() -> admin.deleteRecords(Map.of(partition(), RecordsToDelete.beforeOffset(offset)))
                .all()
                .get());
    }

    /** The next event of an aggregate, adding {@code amount}. */
    public ProducerRecord<byte[], byte[]> added(String aggregateId, long amount) {
        return event("sales", aggregateId, Added.TYPE, "{\"amount\":" + amount + ",\"later\":\"unknown\"}");
    }

    public ProducerRecord<byte[], byte[]> event(String source, String aggregateId, String type, String json) {
        long sequence = sequences.merge(source + "/" + aggregateId, 1L, Long::sum);
        Position position = new Position(1, ++lsn, 0);
        ProducerRecord<byte[], byte[]> record = foreign(source, aggregateId, type, json);
        header(record, WireHeaders.SUBJECT, "account/" + aggregateId);
        header(record, WireHeaders.PARTITION_KEY, aggregateId);
        header(record, WireHeaders.SEQUENCE, Long.toString(sequence));
        header(record, WireHeaders.POSITION, position.toString());
        header(record, "tenant", "acme");
        return record;
    }

    /** An event that its source has sent again behind all others. */
    public ProducerRecord<byte[], byte[]> later(ProducerRecord<byte[], byte[]> record) {
        header(record, WireHeaders.POSITION, new Position(1, ++lsn, 0).toString());
        return record;
    }

    /** An event without a position. */
    public ProducerRecord<byte[], byte[]> foreign(String source, String aggregateId, String type, String json) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(name, bytes(aggregateId), bytes(json));
        header(record, WireHeaders.SPEC_VERSION, WireHeaders.SPEC_VERSION_1_0);
        header(record, WireHeaders.ID, UUID.randomUUID().toString());
        header(record, WireHeaders.SOURCE, "/" + source);
        header(record, WireHeaders.TYPE, type);
        header(record, WireHeaders.TIME, Instant.now().toString());
        header(record, WireHeaders.CONTENT_TYPE, "application/json");
        return record;
    }

    public static void header(ProducerRecord<byte[], byte[]> record, String name, String value) {
        record.headers().remove(name).add(name, bytes(value));
    }

    public static String id(ProducerRecord<byte[], byte[]> record) {
        return new String(record.headers().lastHeader(WireHeaders.ID).value(), StandardCharsets.UTF_8);
    }

    @SafeVarargs
    public final void send(ProducerRecord<byte[], byte[]>... records) {
        for (ProducerRecord<byte[], byte[]> record : records) {
            enqueue(record);
        }
        flush();
    }

    /** Sends and does not wait. */
    public void enqueue(ProducerRecord<byte[], byte[]> record) {
        var unused = producer.send(record, (metadata, error) -> {
            if (error != null) {
                failure.set(error);
            }
        });
    }

    /** Returns once all are in the topic. */
    public void flush() {
        producer.flush();
        if (failure.get() != null) {
            throw new IllegalStateException("not all records are in the topic", failure.get());
        }
    }

    public static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static void await(Request request) {
        try {
            request.run();
        } catch (ExecutionException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private interface Request {
        void run() throws ExecutionException, InterruptedException;
    }

    @Override
    public void close() {
        producer.close();
        admin.close();
    }
}
