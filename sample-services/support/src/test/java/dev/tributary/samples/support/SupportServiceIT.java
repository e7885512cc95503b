package dev.tributary.samples.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.consumer.micronaut.Subscriptions;
import dev.tributary.consumer.view.AuditCommand;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.client.HttpClient;
import io.micronaut.http.client.annotation.Client;
import io.micronaut.http.client.exceptions.HttpClientResponseException;
import io.micronaut.test.extensions.junit5.annotation.MicronautTest;
import jakarta.inject.Inject;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

@MicronautTest(transactional = false)
class SupportServiceIT extends AgainstLocalStack {
    private static final UUID CUSTOMER = UUID.randomUUID();
    private static final UUID ORDER = UUID.randomUUID();
    private static final String REGISTERED = """
            {"customerId": "%s", "name": "Ada", "email": "ada@example.org", "registeredAt": "2026-01-02T03:04:05Z"}""".formatted(CUSTOMER);
    private static final String RENAMED = """
            {"customerId": "%s", "name": "Ada L."}""".formatted(CUSTOMER);
    private static final String ORDER_SHIPPED =
            "{\"orderId\": \"" + ORDER + "\", \"shippedAt\": \"2026-01-04T03:04:05Z\"}";
    private static final String PLACED = """
            {"orderId": "%s", "customerId": "%s", "totalCents": 2599, "placedAt": "2026-01-03T03:04:05Z",
             "lines": [{"product": "teapot", "quantity": 2, "unitPriceCents": 1250}], "channel": "not known here"}""".formatted(ORDER, CUSTOMER);
    private static final String SHIPPED = """
            {"shipmentId": "%s", "orderId": "%s", "customerId": "%s", "carrier": "Swift Parcel", "tracking": "TR-1",
             "shippedAt": "2026-01-04T03:04:05Z"}""".formatted(UUID.randomUUID(), ORDER, CUSTOMER);

    @Inject
    @Client("/")
    HttpClient client;

    @Inject
    Subscriptions subscriptions;

    /** Neither sales nor fulfilment runs here, and their topics come into being one by one. */
    @Test
    void a_shipment_before_its_order_before_its_customer_makes_one_view() throws Exception {
        try (var announcements = new Announcements(KAFKA)) {
            announcements.createTopics("fulfilment.shipment");
            for (int delivery = 0; delivery < 2; delivery++) {
                announcements.send("fulfilment", 1, "shipment/S", 1, "shipment.shipped.v1", SHIPPED);
            }
            awaitValue("1", "SELECT count(*) FROM shipment");
            announcements.createTopics("sales.order", "sales.customer");
            for (int delivery = 0; delivery < 2; delivery++) {
                announcements.send("sales", 3, "order/" + ORDER, 1, "order.placed.v1", PLACED);
                announcements.send("sales", 4, "order/" + ORDER, 2, "order.shipped.v1", ORDER_SHIPPED);
            }
            awaitValue("1", "SELECT count(*) FROM shipped_order");
            announcements.send("sales", 1, "customer/" + CUSTOMER, 1, "customer.registered.v1", REGISTERED);
            announcements.send("sales", 2, "customer/" + CUSTOMER, 2, "customer.renamed.v1", RENAMED);
            announcements.send("sales", 1, "customer/" + CUSTOMER, 1, "customer.registered.v1", REGISTERED);
            announcements.send("sales", 5, "customer/" + CUSTOMER, 3, "customer.renamed.v1", RENAMED);
            awaitValue("3", "SELECT max(sequence) FROM customer");
        }

        JsonNode customer = get("/customers/" + CUSTOMER);
        assertThat(customer.get("name").asText()).isEqualTo("Ada L.");
        assertThat(customer.get("email").asText()).isEqualTo("ada@example.org");
        assertThat(customer.get("ordersPlaced").asInt()).isEqualTo(1);
        assertThat(customer.get("ordersShipped").asInt()).isEqualTo(1);
        assertThat(customer.get("totalCents").asInt()).isEqualTo(2599);
        assertThat(customer.get("lastOrderAt").asText()).isEqualTo("2026-01-03T03:04:05Z");
        JsonNode orders = get("/customers/" + CUSTOMER + "/orders");
        assertThat(orders).hasSize(1);
        assertThat(orders.get(0).get("orderId").asText()).isEqualTo(ORDER.toString());
        assertThat(orders.get(0).get("status").asText()).isEqualTo("SHIPPED");
        assertThat(orders.get(0).get("carrier").asText()).isEqualTo("Swift Parcel");
        assertThat(orders.get(0).get("shippedAt").asText()).isEqualTo("2026-01-04T03:04:05Z");
        assertThat(value("SELECT times_applied || ' ' || shipment_times_applied FROM order_view"))
                .isEqualTo("1 1");
        assertThat(value("SELECT times_applied FROM customer_view")).isEqualTo("3");
        assertThatAnAuditFindsAChangeByHandAndRepairsIt();
        assertThatOperatorsSeeParkedEventsAndDiscardThem();
    }

    private void assertThatAnAuditFindsAChangeByHandAndRepairsIt() throws SQLException {
        AuditCommand audit = SupportService.audit(subscriptions);
        assertThat(run(audit)).isEqualTo("0 no difference");
        try (Connection connection = connect();
                var statement = connection.createStatement()) {
            statement.execute("UPDATE customer SET name = 'Eve'");
        }
        assertThat(run(audit)).isEqualTo("1 1 rows differ");
        assertThat(value("SELECT name FROM customer")).isEqualTo("Eve");
        assertThat(run(audit, "--repair")).isEqualTo("0 1 rows differ");
        assertThat(value("SELECT name FROM customer")).isEqualTo("Ada L.");
        assertThat(run(audit, "--mend")).startsWith("2 usage");
    }

    /** Exit code and the beginning of the verdict. */
    private static String run(AuditCommand audit, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int exit = audit.run(new PrintStream(out, true, StandardCharsets.UTF_8), arguments);
        String verdict = out.toString(StandardCharsets.UTF_8)
                .lines()
                .filter(line -> line.matches("no difference.*|.*rows differ.*|usage.*"))
                .findFirst()
                .orElse(out.toString(StandardCharsets.UTF_8));
        return exit + " " + verdict.split(",", 2)[0];
    }

    @Test
    void an_unknown_customer_is_not_found() {
        assertThatThrownBy(() -> get("/customers/" + UUID.randomUUID()))
                .isInstanceOfSatisfying(HttpClientResponseException.class, e -> assertThat(e.code())
                        .isEqualTo(404));
        assertThat(get("/customers/" + UUID.randomUUID() + "/orders")).isEmpty();
    }

    /** No relay runs here. What comes of it when one does is the demo's to show. */
    @Test
    void a_reader_with_a_token_is_answered_after_the_time_out_and_told_how_far_behind_that_is() {
        var request = HttpRequest.GET("/customers/" + UUID.randomUUID() + "/orders")
                .header("Tributary-Token", "1~sales.7431234567890123456.1.16b3748.1790000000123");
        var answer = client.toBlocking().exchange(request, JsonNode.class);
        assertThat(answer.header("Tributary-View")).isEqualTo("not-yet");
        assertThat(answer.header("Tributary-Behind")).isEqualTo("unknown, 0 events");
    }

    @Test
    void what_is_no_token_or_of_an_unknown_source_is_refused() {
        for (String token : List.of("let me in", "1~billing.1.1.1.1")) {
            var request = HttpRequest.GET("/customers/" + UUID.randomUUID() + "/orders")
                    .header("Tributary-Token", token);
            assertThatThrownBy(() -> client.toBlocking().exchange(request))
                    .isInstanceOfSatisfying(HttpClientResponseException.class, e -> assertThat(e.code())
                            .isEqualTo(400));
        }
    }

    /** What cannot be applied is looked at and done without over HTTP. */
    private void assertThatOperatorsSeeParkedEventsAndDiscardThem() throws Exception {
        String parked = "/tributary/subscriptions/support-customer-view/parked";
        String id = UUID.randomUUID().toString();
        try (var announcements = new Announcements(KAFKA)) {
            announcements.send("sales", 11, "customer/" + id, 1, "customer.registered.v1", "{\"customerId\": 17}");
            announcements.send("sales", 12, "customer/" + id, 2, "customer.renamed.v1", RENAMED);
        }
        await().untilAsserted(
                        () -> assertThat(get(parked).get("events").asInt()).isEqualTo(2));
        JsonNode aggregate = get(parked).get("parked").get(0);
        assertThat(aggregate.get("id").asText()).isEqualTo(id);
        assertThat(aggregate.get("error").asText()).contains("UUID");
        JsonNode events =
                get(parked + "/events?source=sales&type=customer&id=" + id).get("events");
        assertThat(events).hasSize(2);
        assertThat(events.get(0).get("payload").asText()).isEqualTo("{\"customerId\": 17}");
        assertThat(events.get(0).get("stack").asText()).contains("Exception");
        String which = "\"source\": \"sales\", \"type\": \"customer\", \"id\": \"" + id + "\"";
        assertThat(post(parked + "/redrive", "{" + which + "}").get("failed")).hasSize(1);
        assertThatThrownBy(() -> post(parked + "/discard", "{" + which + ", \"who\": \"ada\"}"))
                .isInstanceOfSatisfying(HttpClientResponseException.class, e -> {
                    assertThat(e.code()).isEqualTo(400);
                    assertThat(e.getResponse().getBody(String.class).orElse("")).contains("\"error\"", "reason");
                });
        String number = events.get(0).get("number").asText();
        String decision = "\"reason\": \"no customer\", \"who\": \"ada\"";
        assertThat(post(parked + "/discard", "{\"number\": " + number + ", " + decision + "}")
                        .get("discarded")
                        .asInt())
                .isEqualTo(1);
        assertThat(post(parked + "/redrive", "{\"all\": true}").get("events").asInt())
                .isEqualTo(1);
        assertThat(get(parked).get("aggregates").asInt()).isZero();
        assertThat(value("SELECT reason || discarded_by FROM tributary.discarded_event"))
                .isEqualTo("no customerada");
        assertThatThrownBy(() -> get("/tributary/subscriptions/other/parked"))
                .isInstanceOfSatisfying(HttpClientResponseException.class, e -> assertThat(e.code())
                        .isEqualTo(404));
    }

    private JsonNode post(String path, String json) {
        return client.toBlocking().retrieve(HttpRequest.POST(path, json), JsonNode.class);
    }

    private void awaitValue(String expected, String sql) {
        await().untilAsserted(() -> assertThat(value(sql)).isEqualTo(expected));
    }

    private JsonNode get(String path) {
        return client.toBlocking().retrieve(path, JsonNode.class);
    }
}
