package dev.tributary.samples.fulfilment;

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

/** Sales' topic, with records as the relay writes them. */
final class OrderTopic {
    private static final String NAME = "sales.order";

    private final Map<String, Object> kafka;

    OrderTopic(LocalKafka kafka) {
        this.kafka = Map.of("bootstrap.servers", kafka.bootstrapServers());
    }

    void create() throws ExecutionException, InterruptedException {
        try (Admin admin = Admin.create(kafka)) {
            admin.createTopics(List.of(new NewTopic(NAME, 1, (short) 1))).all().get();
        }
    }

    /** An order whose event has this number in sales' commit order. */
    void placed(String order, int number, int quantity) throws ExecutionException, InterruptedException {
        String payload = """
                {"orderId": "%s", "customerId": "%s", "totalCents": 1, "placedAt": "2026-01-02T03:04:05Z",
                 "lines": [{"product": "teapot", "quantity": %d, "unitPriceCents": 1}]}""".formatted(order, UUID.randomUUID(), quantity);
        var event = new ProducerRecord<>(NAME, order, payload);
        Map.of(
                        "ce_specversion", "1.0",
                        "ce_id", "event-" + number,
                        "ce_source", "/sales",
                        "ce_type", "order.placed.v1",
                        "ce_subject", "order/" + order,
                        "ce_time", "2026-01-02T03:04:05Z",
                        "ce_sequence", "1",
                        "ce_position", "00000001-%016x-00000000".formatted(number),
                        "content-type", "application/json")
                .forEach((name, value) -> event.headers().add(name, value.getBytes(StandardCharsets.UTF_8)));
        try (var producer = new KafkaProducer<>(kafka, new StringSerializer(), new StringSerializer())) {
            producer.send(event).get();
        }
    }
}
