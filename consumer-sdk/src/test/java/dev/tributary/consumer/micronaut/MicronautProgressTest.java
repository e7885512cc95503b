package dev.tributary.consumer.micronaut;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.consumer.ConsumerSchema;
import dev.tributary.consumer.Event;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.TestTopic;
import dev.tributary.consumer.progress.TestMarks;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micronaut.context.ApplicationContext;
import io.micronaut.context.annotation.Factory;
import io.micronaut.context.annotation.Requires;
import io.micronaut.health.HealthStatus;
import io.micronaut.management.health.indicator.HealthResult;
import jakarta.inject.Singleton;
import java.sql.Connection;
import java.util.HashMap;
import java.util.Map;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

class MicronautProgressTest {
    private static final String KEY = "tributary.subscriptions.progress-customers.";

    @EventSubscription(name = "progress-customers", topics = "${test.progress.topic}")
    @Requires(property = "test.progress.topic")
    static class Customers {
        @OnEvent("customer.renamed.v1")
        void renamed(Event<byte[]> event, Connection connection) {}
    }

    @Factory
    @Requires(property = "test.progress.topic")
    static class Meters {
        @Singleton
        MeterRegistry registry() {
            return new SimpleMeterRegistry();
        }
    }

    @Test
    void freshnessIsAValueAMeterAndAMatterOfHealth() throws Exception {
        LocalPostgres postgres = LocalPostgres.shared();
        String url = postgres.createDatabase("progress");
        try (Connection connection = postgres.connect(url)) {
            ConsumerSchema.apply(connection);
        }
        try (TestTopic topic = new TestTopic(LocalKafka.shared(), 1);
                TestMarks marks = new TestMarks(LocalKafka.shared())) {
            marks.createTopic();
            Map<String, Object> configuration = configuration(url, topic.name());
            configuration.put(KEY + "sources", marks.source);
            configuration.put(KEY + "freshness.limit", "2s");
            configuration.put(KEY + "freshness.objective.share", "0.99");
            try (ApplicationContext context = ApplicationContext.run(configuration)) {
                await(() -> assertThat(health(context).getStatus()).isEqualTo(HealthStatus.DOWN));
                assertThat(health(context).getDetails().toString())
                        .contains("no progress mark of source " + marks.source);
                await(() -> {
                    marks.say(100, topic.name(), 1);
                    assertThat(health(context).getStatus()).isEqualTo(HealthStatus.UP);
                    assertThat(gauge(context, "tributary.view.age").value()).isBetween(0.0, 2.0);
                });
                assertThat(gauge(context, "tributary.view.budget.remaining").value())
                        .isNaN();
                await(() -> assertThat(health(context).getStatus()).isEqualTo(HealthStatus.DOWN));
                assertThat(health(context).getDetails().toString())
                        .contains(marks.source, "the limit is 2 s", "the relay has published no further");
                assertThat(gauge(context, "tributary.view.age").value()).isGreaterThan(2.0);
                assertThatThrownBy(() -> context.getBean(ViewProgresses.class).get("others"))
                        .isInstanceOf(SubscriptionException.class)
                        .hasMessageContaining("tributary.subscriptions.others.sources");
            }
        } finally {
            postgres.dropDatabase(url);
        }
    }

    private static Map<String, Object> configuration(String url, String topic) {
        Map<String, Object> configuration = new HashMap<>();
        configuration.put("kafka.bootstrap.servers", LocalKafka.shared().bootstrapServers());
        configuration.put("datasources.default.url", url);
        configuration.put("datasources.default.username", LocalPostgres.USER);
        configuration.put("datasources.default.password", LocalPostgres.PASSWORD);
        configuration.put("datasources.default.driver-class-name", "org.postgresql.Driver");
        configuration.put("test.progress.topic", topic);
        return configuration;
    }

    private static Gauge gauge(ApplicationContext context, String name) {
        return context.getBean(MeterRegistry.class).get(name).gauge();
    }

    private static HealthResult health(ApplicationContext context) {
        return Mono.from(context.getBean(FreshnessHealth.class).getResult()).block();
    }

    private static void await(ThrowingRunnable assertion) {
        Awaitility.await().untilAsserted(assertion);
    }
}
