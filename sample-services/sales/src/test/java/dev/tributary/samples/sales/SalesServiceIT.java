package dev.tributary.samples.sales;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.outbox.wire.ReadToken;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.HttpStatus;
import io.micronaut.http.client.HttpClient;
import io.micronaut.http.client.annotation.Client;
import io.micronaut.http.client.exceptions.HttpClientResponseException;
import io.micronaut.test.extensions.junit5.annotation.MicronautTest;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

@MicronautTest(transactional = false)
class SalesServiceIT extends AgainstLocalStack {
    @Inject
    @Client("/")
    HttpClient client;

    @Inject
    ObjectMapper json;

    @Test
    void an_order_is_its_events() throws Exception {
        String customer = register("Ada");

        JsonNode order = post("/orders", order(customer));

        assertThat(order.get("status").asText()).isEqualTo("PLACED");
        assertThat(order.get("totalCents").asLong()).isEqualTo(2 * 1250 + 99);
        String id = order.get("id").asText();
        assertThat(get("/orders/" + id)).isEqualTo(order);
        assertThat(value(
                        "SELECT string_agg(type || ' ' || sequence, ', ') FROM tributary.event_store WHERE aggregate_id = '%s'"
                                .formatted(id)))
                .isEqualTo("order.placed.v1 1");
        JsonNode event = json.readTree(
                value("SELECT convert_from(payload, 'UTF8') FROM tributary.event_store WHERE aggregate_id = '%s'"
                        .formatted(id)));
        assertThat(event.get("orderId").asText()).isEqualTo(id);
        assertThat(event.get("customerId").asText()).isEqualTo(customer);
        assertThat(event.get("totalCents")).isEqualTo(order.get("totalCents"));
        assertThat(event.get("lines")).isEqualTo(order.get("lines"));
        assertThat(event.get("placedAt")).isEqualTo(order.get("placedAt"));
    }

    @Test
    void a_customer_and_its_event_share_one_transaction() throws Exception {
        String customer = register("Bea");
        assertThat(value("SELECT xmin::text FROM customer WHERE id = '%s'".formatted(customer)))
                .isNotNull()
                .isEqualTo(
                        value("SELECT xmin::text FROM tributary.outbox WHERE aggregate_id = '%s'".formatted(customer)));
    }

    @Test
    void a_customer_that_cannot_be_announced_is_not_registered() throws Exception {
        execute(
                "ALTER TABLE tributary.outbox ADD CONSTRAINT refused CHECK (type <> 'customer.registered.v1') NOT VALID");
        try {
            assertThat(status(HttpRequest.POST("/customers", Map.of("name", "Cleo", "email", "a@example.org"))))
                    .isEqualTo(500);
        } finally {
            execute("ALTER TABLE tributary.outbox DROP CONSTRAINT refused");
        }
        assertThat(value("SELECT count(*) FROM customer WHERE name = 'Cleo'")).isEqualTo("0");
    }

    @Test
    void a_customers_events_are_numbered_from_one() throws Exception {
        String customer = register("Dora");

        JsonNode renamed = exchange(HttpRequest.PUT("/customers/" + customer, Map.of("name", "Dora D.")));

        assertThat(renamed.get("name").asText()).isEqualTo("Dora D.");
        assertThat(get("/customers/" + customer)).isEqualTo(renamed);
        assertThat(value(
                        "SELECT string_agg(sequence || ' ' || type, ', ' ORDER BY sequence) FROM tributary.outbox WHERE aggregate_id = '%s'"
                                .formatted(customer)))
                .isEqualTo("1 customer.registered.v1, 2 customer.renamed.v2");
    }

    @Test
    void bad_requests_are_refused() {
        String customer = register("Emil");
        UUID nobody = UUID.randomUUID();

        assertThat(status(HttpRequest.POST("/customers", Map.of("name", " ", "email", "a@example.org"))))
                .isEqualTo(400);
        assertThat(status(HttpRequest.POST("/customers", Map.of("name", "A", "email", "nowhere"))))
                .isEqualTo(400);
        assertThat(status(HttpRequest.POST("/orders", order(nobody.toString()))))
                .isEqualTo(400);
        assertThat(status(HttpRequest.POST("/orders", Map.of("customerId", customer, "lines", List.of()))))
                .isEqualTo(400);
        assertThat(status(HttpRequest.POST("/orders", order(customer, 0)))).isEqualTo(400);
        assertThat(status(HttpRequest.POST("/orders", "not json"))).isEqualTo(400);
        assertThat(status(HttpRequest.GET("/orders/not-a-uuid"))).isEqualTo(400);
        assertThat(status(HttpRequest.GET("/orders/" + nobody))).isEqualTo(404);
        assertThat(status(HttpRequest.GET("/customers/" + nobody))).isEqualTo(404);
        assertThat(status(HttpRequest.PUT("/customers/" + nobody, Map.of("name", "A"))))
                .isEqualTo(404);
    }

    @Test
    void an_order_is_marked_shipped_when_fulfilment_says_so() throws Exception {
        String order = post("/orders", order(register("Finn"))).get("id").asText();

        // The topic comes into being after the service started, as on a fresh system
        var topic = new ShipmentTopic(KAFKA);
        topic.create();
        topic.shipped(order, "2026-01-02T03:04:05.678901Z");

        await().untilAsserted(() ->
                assertThat(get("/orders/" + order).get("status").asText()).isEqualTo("SHIPPED"));
        assertThat(get("/orders/" + order).get("shippedAt").asText()).isEqualTo("2026-01-02T03:04:05.678901Z");
        assertThat(value("SELECT string_agg(type || ' ' || sequence, ', ' ORDER BY sequence) FROM tributary.event_store"
                        + " WHERE aggregate_id = '%s'".formatted(order)))
                .isEqualTo("order.placed.v1 1, order.shipped.v1 2");
    }

    @Test
    void whoever_has_written_gets_a_token_and_nobody_else() throws Exception {
        String customer = register("Ella");
        var placed = client.toBlocking().exchange(HttpRequest.POST("/orders", order(customer)), JsonNode.class);
        ReadToken token = ReadToken.parse(placed.header("Tributary-Token"));
        assertThat(token.writes()).extracting(ReadToken.Write::source).containsExactly("sales");
        var renamed = client.toBlocking()
                .exchange(HttpRequest.PUT("/customers/" + customer, Map.of("name", "Ella E.")), JsonNode.class);
        assertThat(ReadToken.parse(renamed.header("Tributary-Token"))
                        .writes()
                        .get(0)
                        .lsn())
                .isGreaterThan(token.writes().get(0).lsn());
        var read = client.toBlocking().exchange(HttpRequest.GET("/customers/" + customer), JsonNode.class);
        assertThat(read.header("Tributary-Token")).isNull();
    }

    private String register(String name) {
        return post("/customers", Map.of("name", name, "email", "someone@example.org"))
                .get("id")
                .asText();
    }

    private static Map<String, Object> order(String customer) {
        return order(customer, 2);
    }

    private static Map<String, Object> order(String customer, int quantity) {
        return Map.of(
                "customerId",
                customer,
                "lines",
                List.of(
                        Map.of("product", "teapot", "quantity", quantity, "unitPriceCents", 1250),
                        Map.of("product", "spoon", "quantity", 1, "unitPriceCents", 99)));
    }

    private JsonNode post(String path, Object body) {
        var response = client.toBlocking().exchange(HttpRequest.POST(path, body), JsonNode.class);
        assertThat(response.status().getCode()).isEqualTo(HttpStatus.CREATED.getCode());
        return response.body();
    }

    private JsonNode get(String path) {
        return exchange(HttpRequest.GET(path));
    }

    private JsonNode exchange(HttpRequest<?> request) {
        return client.toBlocking().retrieve(request, JsonNode.class);
    }

    private int status(HttpRequest<?> request) {
        try {
            return client.toBlocking().exchange(request).status().getCode();
        } catch (HttpClientResponseException e) {
            return e.getStatus().getCode();
        }
    }
}
