package dev.tributary.outbox.micronaut;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import dev.tributary.outbox.retention.OutboxRetention;
import dev.tributary.outbox.retention.RetentionSettings;
import dev.tributary.outbox.retention.RetentionThread;
import io.micronaut.context.ApplicationContext;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class RetentionFactoryTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static String url;

    @BeforeAll
    static void createDatabase() throws SQLException {
        url = LocalPostgres.shared().createDatabase("retained");
        try (Connection connection = connect()) {
            OutboxSchema.apply(connection);
        }
    }

    @AfterAll
    static void dropDatabase() throws SQLException {
        LocalPostgres.shared().dropDatabase(url);
    }

    @Test
    void itIsOffUnlessAWindowIsSet() {
        try (ApplicationContext application = application(Map.of())) {
            assertThat(application.containsBean(RetentionThread.class)).isFalse();
        }
    }

    @Test
    void itTakesItsTurnsBesideOthersUntilTheApplicationEnds() throws SQLException {
        // As the relay's, which leads
        OutboxRetention relays = new OutboxRetention(
                RetentionFactoryTest::connect,
                new RetentionSettings(Duration.ofMinutes(1), Duration.ofSeconds(1), 2, Duration.ofSeconds(2)));
        assertThat(relays.turn().leading()).isTrue();
        Map<String, Object> keys = Map.of(
                "tributary.outbox.retention.window", "PT60S",
                "tributary.outbox.retention.span", "PT1S",
                "tributary.outbox.retention.ahead", 40,
                "tributary.outbox.retention.pause.max", "PT2S",
                "tributary.outbox.retention.data-source", "orders");
        try (ApplicationContext application = application(keys)) {
            RetentionThread retention = application.getBean(RetentionThread.class);
            assertThat(retention.status().leading()).isFalse();
            relays.close();
            await().atMost(SOON).until(() -> retention.status().leading());
            await().atMost(SOON).until(() -> retention.status().partitions() > 40); // a second each
        }
        assertThat(number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database ="
                        + " (SELECT oid FROM pg_database WHERE datname = current_database())"))
                .isZero();
        try (OutboxRetention next =
                new OutboxRetention(RetentionFactoryTest::connect, RetentionSettings.ofWindow(Duration.ofDays(1)))) {
            assertThat(next.turn().leading()).isTrue();
        }
    }

    @Test
    void mistakesAreNamedAtTheStart() {
        refused(Map.of("span", "PT1H"), "tributary.outbox.retention.window is missing");
        refused(Map.of("window", "a day"), "tributary.outbox.retention.window must be a duration such as P1D");
        refused(Map.of("window", "P1D", "ahead", "many"), "tributary.outbox.retention.ahead must be a number");
        refused(Map.of("window", "PT0.1S"), "window must be a second or more");
        refused(Map.of("window", "P1D", "data-source", "none"), "configure datasources.none");
    }

    private static void refused(Map<String, String> keys, String message) {
        Map<String, Object> properties = new HashMap<>();
        keys.forEach((key, value) -> properties.put("tributary.outbox.retention." + key, value));
        assertThatThrownBy(() -> application(properties).close()).hasStackTraceContaining(message);
    }

    private static ApplicationContext application(Map<String, Object> more) {
        Map<String, Object> properties = new HashMap<>(more);
        for (String name : new String[] {"default", "orders"}) {
            properties.put("datasources." + name + ".url", url);
            properties.put("datasources." + name + ".username", LocalPostgres.USER);
            properties.put("datasources." + name + ".password", LocalPostgres.PASSWORD);
            properties.put("datasources." + name + ".maximum-pool-size", 1);
        }
        return ApplicationContext.run(properties);
    }

    private static long number(String query) throws SQLException {
        try (Connection connection = connect();
                ResultSet row = connection.createStatement().executeQuery(query)) {
            row.next();
            return row.getLong(1);
        }
    }

    private static Connection connect() throws SQLException {
        return DriverManager.getConnection(url, LocalPostgres.USER, LocalPostgres.PASSWORD);
    }
}
