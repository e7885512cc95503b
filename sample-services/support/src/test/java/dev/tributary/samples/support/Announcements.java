package dev.tributary.samples.support;

import dev.tributary.localstack.LocalKafka;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** The other services' topics, with records as the relay writes them. */
final class Announcements implements AutoCloseable {
    private final Map<String, Object> kafka;
    private final KafkaProducer<String, String> producer;

    Announcements(LocalKafka kafka) {
        this.kafka = Map.of("bootstrap.servers", kafka.bootstrapServers());
        producer = new KafkaProducer<>(this.kafka, new StringSerializer(), new StringSerializer());
    }

    void createTopics(String... names) throws ExecutionException, InterruptedException {
        try (Admin admin = Admin.create(kafka)) {
            admin.createTopics(List.of(names).stream()
                            .map(name -> new NewTopic(name, 2, (short) 1))
                            .toList())
                    .all()
                    .get();
        }
    }

    /** Sends one event of a source, the one with this number in the source's commit order. */
    void send(String source, int number, String aggregate, long sequence, String type, String payload)
            throws ExecutionException, InterruptedException {
        String aggregateType = aggregate.substring(0, aggregate.indexOf('/'));
        String id = aggregate.substring(aggregate.indexOf('/') + 1);
        var event = new ProducerRecord<>(source + "." + aggregateType, id, payload);
        Map.of(
                        "ce_specversion",
                        "1.0",
                        "ce_id",
                        UUID.randomUUID().toString(),
                        "ce_source",
                        "/" + source,
                        "ce_type",
                        type,
                        "ce_subject",
                        aggregate,
                        "ce_time",
                        "2026-01-02T03:04:05Z",
                        "ce_sequence",
                        Long.toString(sequence),
                        "ce_position",
                        "00000001-%016x-00000000".formatted(number),
                        "content-type",
                        "application/json")
                .forEach((name, value) -> event.headers().add(name, value.getBytes(StandardCharsets.UTF_8)));
        producer.send(event).get();
    }

    @Override
    public void close() {
        producer.close();
    }
}
