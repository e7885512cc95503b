package dev.tributary.outbox.micronaut;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.EventRejectedException;
import dev.tributary.outbox.Outbox;
import dev.tributary.outbox.OutboxException;
import dev.tributary.outbox.OutboxSchema;
import dev.tributary.outbox.wire.ReadToken;
import io.micronaut.context.ApplicationContext;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TransactionalOutboxTest {
    private static String sales;
    private static String inventory;
    private static ApplicationContext application;
    private static OrderService orders;

    @BeforeAll
    static void start() throws SQLException {
        sales = database("sales");
        inventory = database("inventory");
        application = application(Map.of("test.orders", true));
        orders = application.getBean(OrderService.class);
    }

    @AfterAll
    static void stop() {
        application.close();
    }

    @BeforeEach
    void clear() throws SQLException {
        for (String url : List.of(sales, inventory)) {
            try (Connection connection = connect(url)) {
                connection.createStatement().execute("TRUNCATE tributary.outbox, tributary.aggregate");
            }
        }
    }

    @Test
    void eventsAreThereWhenTheTransactionCommits() throws SQLException {
        orders.place("o-1", () -> {});
        assertThat(published(sales)).containsExactly("o-1#1", "o-1#2");
    }

    @Test
    void eventsAreNotThereWhenTheTransactionRollsBack() throws SQLException {
        assertThatThrownBy(() -> orders.place("o-1", () -> {
                    throw new IllegalStateException("out of stock");
                }))
                .hasMessage("out of stock");
        assertThat(published(sales)).isEmpty();
        orders.place("o-1", () -> {});
        assertThat(published(sales)).containsExactly("o-1#1", "o-1#2");
    }

    @Test
    void withoutATransactionItRefuses() throws SQLException {
        assertThatThrownBy(() -> orders.placeWithoutTransaction("o-1"))
                .isInstanceOf(EventRejectedException.class)
                .hasMessageContaining("@Transactional");
        assertThat(published(sales)).isEmpty();
    }

    @Test
    void eachDataSourceHasItsOwn() throws SQLException {
        orders.reserve("i-1");
        assertThat(published(inventory)).containsExactly("i-1#1");
        assertThat(published(sales)).isEmpty();
    }

    @Test
    void anotherDataSourcesTransactionIsNoTransaction() throws SQLException {
        assertThatThrownBy(() -> orders.placeInTheWrongTransaction("o-1"))
                .isInstanceOf(EventRejectedException.class)
                .hasMessageContaining("same data source");
        assertThat(published(sales)).isEmpty();
        assertThat(published(inventory)).isEmpty();
    }

    @Test
    void aConflictCaughtWithinTheTransactionLeavesItUsable() throws SQLException {
        AtomicInteger conflicts = new AtomicInteger();
        orders.placeExpecting("o-1", 5, conflicts::incrementAndGet);
        assertThat(conflicts).hasValue(1);
        assertThat(published(sales)).containsExactly("o-1#1");
        assertThatThrownBy(() -> orders.placeExpecting("o-1", 1, () -> {
                    throw new IllegalStateException("gave up");
                }))
                .hasMessage("gave up");
        assertThat(published(sales)).containsExactly("o-1#1");
    }

    @Test
    void thePayloadLimitIsConfigurable() throws SQLException {
        try (ApplicationContext small =
                application(Map.of("test.orders", true, "tributary.outbox.payload-bytes-max", 10))) {
            OrderService limited = small.getBean(OrderService.class);
            assertThatThrownBy(() -> limited.place("o-1", () -> {})).hasMessageContaining("the limit is 10");
        }
        assertThat(published(sales)).isEmpty();
    }

    @Test
    void payloadsLeaveNothingOutAndHaveReadableDates() throws SQLException {
        orders.place("o-1", () -> {});
        assertThat(payload()).isEqualTo("{\"customer\":\"Ann\",\"lines\":[],\"at\":\"1970-01-01T00:00:00Z\"}");
    }

    @Test
    void theApplicationsJacksonSettingsHold() throws SQLException {
        try (ApplicationContext own = application(Map.of(
                "test.orders",
                true,
                "jackson.serialization.writeDatesAsTimestamps",
                true,
                "jackson.serialization-inclusion",
                "NON_EMPTY",
                "jackson.property-naming-strategy",
                "UPPER_CAMEL_CASE"))) {
            own.getBean(OrderService.class).place("o-1", () -> {});
        }
        assertThat(payload()).isEqualTo("{\"Customer\":\"Ann\",\"At\":0.0}");
    }

    @Test
    void theTokenIsGivenWhenTheTransactionIsOver() {
        try (ApplicationContext named = application(Map.of(
                "test.orders", true,
                "tributary.outbox.source", "sales",
                "tributary.outbox.sources.inventory", "stock"))) {
            OrderService service = named.getBean(OrderService.class);
            ReadToken before = service.token();
            service.place("o-1", () -> {});
            ReadToken token = service.token();
            assertThat(token.writes()).extracting(ReadToken.Write::source).containsExactly("sales");
            assertThat(token.writes().get(0).lsn())
                    .isGreaterThan(before.writes().get(0).lsn());
            assertThat(service.inventoryToken().writes())
                    .extracting(ReadToken.Write::source)
                    .containsExactly("stock");
            assertThatThrownBy(() -> service.takeTokenTooEarly("o-2"))
                    .isInstanceOf(OutboxException.class)
                    .hasMessageContaining("outside of the @Transactional method");
        }
    }

    @Test
    void aDataSourceDoesNotPassForAnotherOnesSource() {
        try (ApplicationContext named = application(Map.of("test.orders", true, "tributary.outbox.source", "sales"))) {
            assertThatThrownBy(() -> named.getBean(OrderService.class).inventoryToken())
                    .isInstanceOf(OutboxException.class)
                    .hasMessageContaining("tributary.outbox.sources.inventory");
        }
    }

    @Test
    void withoutEventTypesThereIsNoOutbox() {
        try (ApplicationContext bare = application(Map.of())) {
            assertThat(bare.containsBean(Outbox.class)).isFalse();
            assertThat(bare.containsBean(TransactionalOutbox.class)).isFalse();
        }
    }

    private String payload() throws SQLException {
        try (Connection connection = connect(sales);
                ResultSet row = connection
                        .createStatement()
                        .executeQuery("SELECT payload FROM tributary.outbox_readable LIMIT 1")) {
            row.next();
            return row.getString(1);
        }
    }

    private static ApplicationContext application(Map<String, Object> more) {
        Map<String, Object> properties = new HashMap<>(more);
        Map.of("default", sales, "inventory", inventory).forEach((name, url) -> {
            properties.put("datasources." + name + ".url", url);
            properties.put("datasources." + name + ".username", LocalPostgres.USER);
            properties.put("datasources." + name + ".password", LocalPostgres.PASSWORD);
            properties.put("datasources." + name + ".maximum-pool-size", 2);
        });
        return ApplicationContext.run(properties);
    }

    private static String database(String name) throws SQLException {
        String url = LocalPostgres.shared().createDatabase(name);
        try (Connection connection = connect(url)) {
            OutboxSchema.apply(connection);
        }
        return url;
    }

    private static List<String> published(String url) throws SQLException {
        try (Connection connection = connect(url);
                ResultSet rows = connection
                        .createStatement()
                        .executeQuery("SELECT aggregate_id || '#' || sequence FROM tributary.outbox ORDER BY ctid")) {
            List<String> published = new ArrayList<>();
            while (rows.next()) {
                published.add(rows.getString(1));
            }
            return published;
        }
    }

    private static Connection connect(String url) throws SQLException {
        return DriverManager.getConnection(url, LocalPostgres.USER, LocalPostgres.PASSWORD);
    }
}
