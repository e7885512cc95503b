package dev.tributary.samples.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.routing.EventRouter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Sends the records that the relay would send, made beforehand, as fast as the producer takes them. */
final class ProducerMain {
    /** More than a compressor's window holds, in each partition. */
    static final int DIFFERENT_RECORDS = 4_096;

    private ProducerMain() {}

    @SuppressWarnings("FutureReturnValueIgnored") // the callback tells
    public static void main(String[] args) {
        int payloadBytes = Integer.parseInt(args[2]);
        int events = Integer.parseInt(args[3]);
        List<ProducerRecord<byte[], byte[]>> records = records(args[0], new Workload(payloadBytes, 1, 0, events, 0));
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings(args[1]))) {
            for (int i = 0; i < events; i++) {
                producer.send(records.get(i % DIFFERENT_RECORDS), (metadata, exception) -> {
                    if (exception != null) {
                        exception.printStackTrace();
                        Runtime.getRuntime().halt(1);
                    }
                });
            }
            producer.flush();
            waitForTheEnd();
        }
    }

    /** So that the CPU time of this process can still be read. */
    static void waitForTheEnd() {
        try {
            Thread.sleep(Long.MAX_VALUE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The relay's own defaults that matter for speed, but for the number of requests in flight. */
    static Map<String, Object> settings(String bootstrapServers) {
        Map<String, Object> settings = new HashMap<>();
        settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        settings.put(ProducerConfig.BATCH_SIZE_CONFIG, 128 * 1024);
        settings.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class.getName());
        settings.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class.getName());
        return settings;
    }

    static List<ProducerRecord<byte[], byte[]>> records(String run, Workload workload) {
        EventRouter router = new EventRouter(new SourceConfig(
                run,
                "jdbc:postgresql://localhost/none",
                "nobody",
                "",
                SourceConfig.Engine.PGOUTPUT,
                "${source}.${aggregate_type}",
                1));
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>(DIFFERENT_RECORDS);
        for (int i = 0; i < DIFFERENT_RECORDS; i++) {
            records.add(router.route(event(workload, i)));
        }
        return records;
    }

    private static OutboxEvent event(Workload workload, int number) {
        Instant now = Instant.now();
        return new OutboxEvent(
                new Position(1, 0x1234_5678L + 1_000L * number, 0),
                now,
                UUID.randomUUID(),
                Workload.AGGREGATE_TYPE,
                Workload.aggregateId(number).getBytes(UTF_8),
                number + 1,
                Workload.EVENT_TYPE.getBytes(UTF_8),
                Workload.CONTENT_TYPE.getBytes(UTF_8),
                workload.payload(number),
                null,
                now);
    }
}
