package dev.tributary.consumer.micronaut;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.consumer.ConsumerSchema;
import dev.tributary.consumer.Event;
import dev.tributary.consumer.ParkedAggregate;
import dev.tributary.consumer.ParkedEvents;
import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionStatus;
import dev.tributary.consumer.rows.Rows;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micronaut.context.ApplicationContext;
import io.micronaut.context.annotation.Factory;
import io.micronaut.context.annotation.Requires;
import io.micronaut.health.HealthStatus;
import io.micronaut.management.health.indicator.HealthResult;
import jakarta.inject.Singleton;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reactor.core.publisher.Mono;

class MicronautSubscriptionTest {
    private final LocalPostgres postgres = LocalPostgres.shared();
    private final Map<String, Object> kafka =
            Map.of("bootstrap.servers", LocalKafka.shared().bootstrapServers());
    private final String topic = "sales.customer-" + UUID.randomUUID();
    private String url;

    record Renamed(String name) {}

    @EventSubscription(name = "micronaut-customers", topics = "${test.topic}")
    @Requires(property = "test.topic")
    static class CustomerUpdates {
        @OnEvent("customer.renamed.v1")
        void renamed(Event<Renamed> event, Connection connection) throws SQLException {
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO customer VALUES (?, ?)")) {
                insert.setString(1, event.aggregateId());
                insert.setString(2, event.payload().name());
                insert.executeUpdate();
            }
        }

        @OnEvent("customer.corrected.v1")
        void corrected(Event<Renamed> event, Rows rows) {
            rows.table("customer")
                    .key("id", event.aggregateId())
                    .set("name", event.payload().name())
                    .upsert();
        }
    }

    @EventSubscription(name = "wrong", topics = "any")
    @Requires(property = "test.wrong")
    static class WrongSignature {
        @OnEvent("customer.renamed.v1")
        void renamed(String event) {}
    }

    @EventSubscription(name = "handless", topics = "any")
    @Requires(property = "test.handless")
    static class Handless {}

    @Factory
    @Requires(property = "test.topic")
    static class Meters {
        @Singleton
        MeterRegistry registry() {
            return new SimpleMeterRegistry();
        }
    }

    @BeforeEach
    void create() throws Exception {
        url = postgres.createDatabase("micronaut");
        try (Connection connection = postgres.connect(url);
                Statement statement = connection.createStatement();
                Admin admin = Admin.create(kafka)) {
            ConsumerSchema.apply(connection);
            statement.execute("CREATE TABLE customer (id text PRIMARY KEY, name text)");
            admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get();
        }
    }

    @AfterEach
    void drop() {
        postgres.dropDatabase(url);
    }

    private Map<String, Object> configuration() {
        Map<String, Object> configuration = new HashMap<>();
        configuration.put("kafka.bootstrap.servers", kafka.get("bootstrap.servers"));
        configuration.put("datasources.default.url", url);
        configuration.put("datasources.default.username", LocalPostgres.USER);
        configuration.put("datasources.default.password", LocalPostgres.PASSWORD);
        configuration.put("datasources.default.driver-class-name", "org.postgresql.Driver");
        return configuration;
    }

    @Test
    void subscriptionWithoutHandlersIsRefused() {
        Map<String, Object> configuration = configuration();
        configuration.put("test.handless", "true");
        assertThatThrownBy(() -> ApplicationContext.run(configuration).close())
                .hasStackTraceContaining("@EventSubscription(name = \"handless\") has no handlers: annotate methods");
    }

    @ParameterizedTest
    @CsvSource({
        "batch-events-max, many, 'is ''many'', and has to be a number'",
        "on-garbage, refuze, 'is ''refuze'', and has to be one of [SKIP, REFUSE]'",
        "retry-max, soon, 'is ''soon'', and has to be a duration such as 5s'",
        "batch-events-max, -1, 'batchEventsMax must be at least 1, not -1'",
        "kafka.session.timeout.ms, soon, 'session.timeout.ms'"
    })
    void settingThatSaysNothingIsRefused(String key, String value, String message) {
        Map<String, Object> configuration = configuration();
        configuration.put("test.topic", topic);
        configuration.put("tributary.subscriptions.micronaut-customers." + key, value);
        assertThatThrownBy(() -> ApplicationContext.run(configuration).close()).hasStackTraceContaining(message);
    }

    @Test
    void annotatedBeanIsASubscriptionForAsLongAsTheApplicationRuns() {
        Map<String, Object> configuration = configuration();
        configuration.put("test.topic", topic);
        configuration.put("tributary.subscriptions.micronaut-customers.on-unknown-type", "refuse");
        configuration.put("tributary.subscriptions.micronaut-customers.close-timeout", "2s");
        configuration.put("tributary.subscriptions.micronaut-customers.kafka.max.poll.records", "7");
        Subscription subscription;
        try (ApplicationContext context = ApplicationContext.run(configuration)) {
            subscription = context.getBean(Subscriptions.class).get("micronaut-customers");
            send("customer.renamed.v1", "{\"name\":\"Ada\"}");
            await(() -> assertThat(names()).isEqualTo("Ada"));
            await(() -> assertThat(subscription.status().totals().applied()).isEqualTo(1));
            assertThat(health(context).getStatus()).isEqualTo(HealthStatus.UP);
            assertThat(context.getBean(MeterRegistry.class)
                            .get("tributary.subscription.applied")
                            .functionCounter()
                            .count())
                    .isEqualTo(1);

            send("customer.corrected.v1", "{\"name\":\"Lovelace\"}");
            await(() -> assertThat(names()).isEqualTo("Lovelace"));

            send("customer.left.v1", "{}");
            await(() -> assertThat(health(context).getStatus()).isEqualTo(HealthStatus.DOWN));
            assertThat(health(context).getDetails().toString()).contains("customer.left.v1", "STOPPED");
            assertThat(context.getBean(MeterRegistry.class)
                            .get("tributary.subscription.stopped")
                            .gauge()
                            .value())
                    .isEqualTo(1);
        }
        assertThat(subscription.status().state()).isEqualTo(SubscriptionStatus.State.CLOSED);
    }

    @Test
    void metersTellHowMuchIsParkedAndForHowLong() throws SQLException {
        Map<String, Object> configuration = configuration();
        configuration.put("test.topic", topic);
        configuration.put("tributary.parked.count-every", "20ms");
        try (ApplicationContext context = ApplicationContext.run(configuration)) {
            MeterRegistry meters = context.getBean(MeterRegistry.class);
            ParkedEvents parked = context.getBean(Subscriptions.class)
                    .get("micronaut-customers")
                    .parkedEvents();
            await(() -> assertThat(parkedGauges(meters)).containsExactly(0, 0, 0));

            send("customer.renamed.v1", "[]");
            send("customer.renamed.v1", "{\"name\":\"behind\"}");
            await(() -> assertThat(parkedGauges(meters)).startsWith(1, 2));
            execute("UPDATE tributary.parked_aggregate SET parked_at = now() - interval '1 hour'");
            await(() -> assertThat(parkedGauges(meters)[2]).isBetween(3_600.0, 3_700.0));
            await(() -> assertThat(counted(meters, "parked")).isEqualTo(2));

            execute("ALTER TABLE tributary.parked_event RENAME TO away");
            await(() -> assertThat(parkedGauges(meters)).containsExactly(Double.NaN, Double.NaN, Double.NaN));
            execute("ALTER TABLE tributary.away RENAME TO parked_event");
            ParkedAggregate one = parked.aggregates(1).get(0);
            parked.discard(parked.events(one.aggregate(), 0, 1).get(0).number(), "unreadable", "ada");
            assertThat(parked.redriveAll().events()).isEqualTo(1);
            await(() -> assertThat(parkedGauges(meters)).containsExactly(0, 0, 0));
            assertThat(counted(meters, "discarded")).isEqualTo(1);
            assertThat(counted(meters, "redriven")).isEqualTo(1);
        }
    }

    private static double[] parkedGauges(MeterRegistry meters) {
        return Stream.of("aggregates", "events", "oldest.seconds")
                .mapToDouble(what -> meters.get("tributary.subscription.parked." + what)
                        .tag("subscription", "micronaut-customers")
                        .gauge()
                        .value())
                .toArray();
    }

    private static double counted(MeterRegistry meters, String what) {
        return meters.get("tributary.subscription." + what).functionCounter().count();
    }

    private void execute(String sql) throws SQLException {
        try (Connection connection = postgres.connect(url);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Test
    void disabledSubscriptionDoesNotRun() {
        Map<String, Object> configuration = configuration();
        configuration.put("test.topic", topic);
        configuration.put("tributary.subscriptions.micronaut-customers.enabled", false);
        try (ApplicationContext context = ApplicationContext.run(configuration)) {
            assertThat(context.getBean(Subscriptions.class).all()).isEmpty();
        }
    }

    @Test
    void methodOfTheWrongShapeKeepsTheApplicationFromStarting() {
        Map<String, Object> configuration = configuration();
        configuration.put("test.wrong", true);
        assertThatThrownBy(() -> ApplicationContext.run(configuration).close())
                .hasStackTraceContaining("must take (Event<PayloadType>, java.sql.Connection)");
    }

    private static HealthResult health(ApplicationContext context) {
        return Mono.from(context.getBean(SubscriptionsHealth.class).getResult()).block();
    }

    private static void await(ThrowingRunnable assertion) {
        Awaitility.await().untilAsserted(assertion);
    }

    private String names() throws SQLException {
        try (Connection connection = postgres.connect(url);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT coalesce(string_agg(name, ','), '') FROM customer")) {
            row.next();
            return row.getString(1);
        }
    }

    private void send(String type, String json) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, bytes("1"), bytes(json));
        Map.of("ce_specversion", "1.0", "ce_id", UUID.randomUUID().toString(), "ce_source", "/sales", "ce_type", type)
                .forEach((name, value) -> record.headers().add(name, bytes(value)));
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(kafka, new ByteArraySerializer(), new ByteArraySerializer())) {
            var unused = producer.send(record);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
