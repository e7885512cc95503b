package dev.tributary.consumer.micronaut;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.consumer.Added;
import dev.tributary.consumer.SubscriptionBed;
import dev.tributary.consumer.SubscriptionStatus;
import dev.tributary.consumer.view.View;
import dev.tributary.consumer.view.ViewVersion;
import dev.tributary.localstack.LocalPostgres;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micronaut.context.ApplicationContext;
import io.micronaut.context.annotation.Factory;
import io.micronaut.context.annotation.Requires;
import io.micronaut.context.annotation.Value;
import io.micronaut.health.HealthStatus;
import io.micronaut.runtime.server.EmbeddedServer;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.sql.PreparedStatement;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

class MicronautViewTest {
    private static final long BAD = 666;

    private static volatile boolean mended;

    private final SubscriptionBed bed = new SubscriptionBed();

    @Factory
    @Requires(property = "test.view-topic")
    static class Accounts {
        @Singleton
        View.Builder accounts(@Value("${test.view-topic}") String topic) {
            return View.builder("micronaut_accounts")
                    .topics(topic)
                    .version(version(1))
                    .version(version(2));
        }

        private static ViewVersion version(int number) {
            return ViewVersion.of(
                    number,
                    "CREATE TABLE account (id text)",
                    subscription -> subscription.on(Added.TYPE, Added.class, (event, connection) -> {
                        if (event.payload().amount() == BAD && !mended) {
                            throw new IllegalArgumentException("bad amount");
                        }
                        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO account VALUES (?)")) {
                            insert.setString(1, event.aggregateId());
                            insert.executeUpdate();
                        }
                    }));
        }

        @Singleton
        MeterRegistry registry() {
            return new SimpleMeterRegistry();
        }
    }

    @AfterEach
    void close() {
        bed.close();
    }

    private Map<String, Object> configuration() {
        Map<String, Object> configuration = new HashMap<>();
        SubscriptionBed.kafkaSettings(bed.kafka.bootstrapServers())
                .forEach((key, value) -> configuration.put("kafka." + key, value));
        configuration.put("datasources.default.url", bed.view.url());
        configuration.put("datasources.default.username", LocalPostgres.USER);
        configuration.put("datasources.default.password", LocalPostgres.PASSWORD);
        configuration.put("datasources.default.driver-class-name", "org.postgresql.Driver");
        configuration.put("micronaut.server.port", -1);
        configuration.put("endpoints.views.enabled", true);
        configuration.put("endpoints.views.sensitive", false);
        configuration.put("tributary.parked.http.enabled", true);
        configuration.put("tributary.parked.count-every", "200ms");
        configuration.put("tributary.views.micronaut-accounts.switch-automatically", false);
        configuration.put("test.view-topic", bed.topic.name());
        return configuration;
    }

    private static String post(EmbeddedServer server, String json) throws IOException, InterruptedException {
        HttpResponse<String> answer = post(server, "/views/micronaut_accounts", json);
        return answer.statusCode() + " " + answer.body();
    }

    private static HttpResponse<String> post(EmbeddedServer server, String path, String json)
            throws IOException, InterruptedException {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(server.getURI().resolve(path))
                                .header("Content-Type", "application/json")
                                .POST(BodyPublishers.ofString(json))
                                .build(),
                        BodyHandlers.ofString());
    }

    private static String get(EmbeddedServer server, String path) throws IOException, InterruptedException {
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(server.getURI().resolve(path)).build(), BodyHandlers.ofString())
                .body();
    }

    @Test
    void builderBeanIsAViewThatOperatorsCommandOverHttp() throws Exception {
        bed.topic.send(bed.topic.added("a", 1));
        View view;
        try (EmbeddedServer server = ApplicationContext.run(EmbeddedServer.class, configuration())) {
            view = server.getApplicationContext().getBean(Views.class).get("micronaut_accounts");
            eventually(() -> assertThat(get(server, "/views")).contains("\"liveVersion\":2", "\"done\":1,\"total\":1"));
            assertThat(post(server, "{\"command\":\"retire\",\"version\":2}"))
                    .contains("409 ", "\"done\":false", "version 2 is LIVE");
            assertThat(post(server, "/views/others", "{\"command\":\"switch-back\"}")
                            .statusCode())
                    .isEqualTo(404);
            assertThat(post(server, "{\"command\":\"fly\",\"version\":2}")).contains("409 ", "there is no command fly");
            assertThat(post(server, "{\"command\":\"rebuild\",\"version\":1}")).contains("200 ", "\"done\":true");
            assertThat(post(server, "{\"command\":\"switch\",\"version\":1}")).contains("\"done\":true");
            eventually(() -> assertThat(get(server, "/views")).contains("\"liveVersion\":1"));
            assertThat(post(server, "{\"command\":\"switch-back\"}")).contains("\"done\":true");
            MeterRegistry meters = server.getApplicationContext().getBean(MeterRegistry.class);
            eventually(() -> assertThat(
                            meters.get("tributary.view.live.version").gauge().value())
                    .isEqualTo(2));
            assertThat(meters.get("tributary.view.version.done")
                            .tag("version", "2")
                            .gauge()
                            .value())
                    .isEqualTo(1);
            assertThat(Mono.from(server.getApplicationContext()
                                    .getBean(ViewsHealth.class)
                                    .getResult())
                            .block()
                            .getStatus())
                    .isEqualTo(HealthStatus.UP);
        }
        assertThat(view.subscriptions())
                .allSatisfy(subscription ->
                        assertThat(subscription.status().state()).isEqualTo(SubscriptionStatus.State.CLOSED));
    }

    @Test
    void whatAVersionHasParkedIsCountedAndRedrivenByTheNameOfItsSubscription() throws Exception {
        mended = false;
        bed.topic.send(bed.topic.added("a", 1), bed.topic.added("b", BAD));
        String parked = "/tributary/subscriptions/micronaut_accounts.v2/parked";
        try (EmbeddedServer server = ApplicationContext.run(EmbeddedServer.class, configuration())) {
            eventually(() -> assertThat(get(server, parked)).contains("bad amount"));
            MeterRegistry meters = server.getApplicationContext().getBean(MeterRegistry.class);
            eventually(() -> assertThat(meters.get("tributary.subscription.parked.events")
                            .tag("subscription", "micronaut_accounts.v2")
                            .gauge()
                            .value())
                    .isEqualTo(1));
            mended = true;
            assertThat(post(server, parked + "/redrive", "{\"all\":true}").body())
                    .contains("\"events\":1");
            assertThat(bed.view.number("SELECT count(*) FROM micronaut_accounts.account"))
                    .isEqualTo(2);
        }
    }
}
