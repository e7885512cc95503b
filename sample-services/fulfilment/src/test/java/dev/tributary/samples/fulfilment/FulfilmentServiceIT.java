package dev.tributary.samples.fulfilment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.micronaut.http.client.HttpClient;
import io.micronaut.http.client.annotation.Client;
import io.micronaut.http.client.exceptions.HttpClientResponseException;
import io.micronaut.test.extensions.junit5.annotation.MicronautTest;
import jakarta.inject.Inject;
import java.util.UUID;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

@MicronautTest(transactional = false)
class FulfilmentServiceIT extends AgainstLocalStack {
    private final OrderTopic topic = new OrderTopic(KAFKA);

    @Inject
    @Client("/")
    HttpClient client;

    @Inject
    ObjectMapper json;

    @BeforeAll
    void topicComesAfterTheService() throws Exception {
        topic.create();
    }

    @Test
    void an_order_is_shipped_and_announced_once_in_one_transaction() throws Exception {
        String order = UUID.randomUUID().toString();
        String next = UUID.randomUUID().toString();

        topic.placed(order, 1, 20);
        topic.placed(order, 1, 20);
        topic.placed(next, 2, 21);

        // The next order's shipment shows that the repeated one has been dealt with
        assertThat(shipment(next).get("carrier").asText()).isEqualTo("Steady Freight");
        JsonNode shipment = shipment(order);
        assertThat(shipment.get("carrier").asText()).isEqualTo("Swift Parcel");
        assertThat(shipment.get("items").toString()).isEqualTo("[{\"product\":\"teapot\",\"quantity\":20}]");
        String id = shipment.get("id").asText();
        assertThat(value("SELECT xmin::text FROM shipment WHERE order_id = '%s'".formatted(order)))
                .isEqualTo(value("SELECT xmin::text FROM tributary.outbox WHERE aggregate_id = '%s'".formatted(id)));
        assertThat(value("SELECT count(*) FROM tributary.outbox")).isEqualTo("2");
        JsonNode event = json.readTree(value(
                "SELECT convert_from(payload, 'UTF8') FROM tributary.outbox WHERE aggregate_id = '%s'".formatted(id)));
        assertThat(event.get("shipmentId").asText()).isEqualTo(id);
        assertThat(event.get("orderId").asText()).isEqualTo(order);
        assertThat(event.get("customerId")).isEqualTo(shipment.get("customerId"));
        assertThat(event.get("carrier")).isEqualTo(shipment.get("carrier"));
        assertThat(event.get("tracking")).isEqualTo(shipment.get("tracking"));
        assertThat(event.get("shippedAt")).isEqualTo(shipment.get("shippedAt"));
    }

    @Test
    void an_order_that_is_not_shipped_is_not_found() {
        assertThatThrownBy(() -> get(UUID.randomUUID().toString()))
                .isInstanceOfSatisfying(HttpClientResponseException.class, e -> assertThat(e.code())
                        .isEqualTo(404));
    }

    private JsonNode shipment(String order) {
        return await().ignoreExceptionsInstanceOf(HttpClientResponseException.class)
                .until(() -> get(order), found -> true);
    }

    private JsonNode get(String order) {
        return client.toBlocking().retrieve("/shipments/" + order, JsonNode.class);
    }
}
