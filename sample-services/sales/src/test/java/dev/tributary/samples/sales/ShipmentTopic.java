package dev.tributary.samples.sales;

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

/** Fulfilment's topic, with records as the relay writes them. */
final class ShipmentTopic {
    private static final String NAME = "fulfilment.shipment";

    private final Map<String, Object> kafka;

    ShipmentTopic(LocalKafka kafka) {
        this.kafka = Map.of("bootstrap.servers", kafka.bootstrapServers());
    }

    void create() throws ExecutionException, InterruptedException {
        try (Admin admin = Admin.create(kafka)) {
            admin.createTopics(List.of(new NewTopic(NAME, 2, (short) 1))).all().get();
        }
    }

    void shipped(String order, String shippedAt) throws ExecutionException, InterruptedException {
        String shipment = UUID.randomUUID().toString();
        String payload = """
                {"shipmentId": "%s", "orderId": "%s", "carrier": "Swift Parcel", "shippedAt": "%s"}""".formatted(shipment, order, shippedAt);
        var event = new ProducerRecord<>(NAME, shipment, payload);
        Map.of(
                        "ce_specversion", "1.0",
                        "ce_id", UUID.randomUUID().toString(),
                        "ce_source", "/fulfilment",
                        "ce_type", "shipment.shipped.v1",
                        "ce_subject", "shipment/" + shipment,
                        "ce_time", shippedAt,
                        "ce_sequence", "1",
                        "ce_position", "00000001-00000000016b3748-00000000",
                        "content-type", "application/json")
                .forEach((name, value) -> event.headers().add(name, value.getBytes(StandardCharsets.UTF_8)));
        try (var producer = new KafkaProducer<>(kafka, new StringSerializer(), new StringSerializer())) {
            producer.send(event).get();
        }
    }
}
