package dev.tributary.samples.support;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.consumer.Event;
import io.micronaut.context.annotation.Property;
import io.micronaut.test.extensions.junit5.annotation.MicronautTest;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Whatever order the events of different aggregates come in, the view is the same. */
@MicronautTest(transactional = false)
@Property(name = "tributary.subscriptions.support-customer-view.enabled", value = "false")
class CustomerViewUpdatesIT extends AgainstLocalStack {
    private static final UUID CUSTOMER = UUID.randomUUID();
    private static final UUID FIRST = UUID.randomUUID();
    private static final UUID SECOND = UUID.randomUUID();
    private static final Instant TIME = Instant.parse("2026-01-02T03:04:05Z");

    @Inject
    CustomerViewUpdates updates;

    private final Step registered = c -> updates.registered(
            event("customer", CUSTOMER, 1, new CustomerRegistered(CUSTOMER, "Ada", "ada@example.org", TIME)), c);
    private final Step renamed =
            c -> updates.renamed(event("customer", CUSTOMER, 2, new CustomerRenamed(CUSTOMER, "Ada L.")), c);
    private final Step placedFirst = c ->
            updates.placed(event("order", FIRST, 1, new OrderPlaced(FIRST, CUSTOMER, 1000, TIME.plusSeconds(10))), c);
    private final Step placedSecond = c ->
            updates.placed(event("order", SECOND, 1, new OrderPlaced(SECOND, CUSTOMER, 234, TIME.plusSeconds(20))), c);
    private final Step shippedFirst = c -> updates.shipped(
            event("shipment", FIRST, 1, new ShipmentShipped(FIRST, "Swift Parcel", "TR-1", TIME.plusSeconds(30))), c);

    @Test
    void every_order_of_events_gives_the_same_view() throws Exception {
        Set<List<Object>> views = new HashSet<>();
        int permutations = 0;
        try (Connection connection = connect()) {
            connection.setAutoCommit(false);
            for (List<Step> steps :
                    permutations(List.of(registered, renamed, placedFirst, placedSecond, shippedFirst))) {
                // The events of one aggregate always come in order
                if (steps.indexOf(registered) < steps.indexOf(renamed)) {
                    views.add(applied(steps, connection));
                    permutations++;
                }
            }
        }

        assertThat(permutations).isEqualTo(60);
        assertThat(views)
                .containsExactly(List.of(
                        List.of("Ada L.", "ada@example.org", 2L, 1L, 1234L, TIME.plusSeconds(20), 2L, 2),
                        List.of(FIRST, CUSTOMER, 1000L, "Swift Parcel", TIME.plusSeconds(30), 1, 1),
                        List.of(SECOND, CUSTOMER, 234L, "null", "null", 1, "null")));
    }

    @Test
    void an_event_applied_twice_would_be_seen() throws Exception {
        try (Connection connection = connect()) {
            connection.setAutoCommit(false);
            assertThat(applied(List.of(registered, placedFirst, placedFirst, shippedFirst), connection))
                    .containsExactly(
                            List.of("Ada", "ada@example.org", 1L, 1L, 1000L, TIME.plusSeconds(10), 1L, 1),
                            List.of(FIRST, CUSTOMER, 1000L, "Swift Parcel", TIME.plusSeconds(30), 2, 1));
        }
    }

    /** The view's rows after the steps, which are rolled back. */
    private static List<Object> applied(List<Step> steps, Connection connection) throws SQLException {
        for (Step step : steps) {
            step.apply(connection);
        }
        List<Object> view = new ArrayList<>();
        view.addAll(rows(connection, """
                SELECT name, email, orders_placed, orders_shipped, total_cents, last_order_at, sequence, times_applied
                  FROM customer_view"""));
        view.addAll(rows(connection, """
                SELECT order_id, customer_id, total_cents, carrier, shipped_at, times_applied, shipment_times_applied
                  FROM order_view ORDER BY placed_at"""));
        connection.rollback();
        return view;
    }

    private static List<List<Object>> rows(Connection connection, String sql) throws SQLException {
        List<List<Object>> all = new ArrayList<>();
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                List<Object> row = new ArrayList<>();
                for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                    Object value = rows.getObject(i);
                    row.add(
                            value instanceof java.sql.Timestamp time
                                    ? time.toInstant()
                                    : value == null ? "null" : value);
                }
                all.add(row);
            }
        }
        return all;
    }

    private static List<List<Step>> permutations(List<Step> steps) {
        List<List<Step>> all = new ArrayList<>();
        permute(new ArrayList<>(steps), 0, all);
        return all;
    }

    private static void permute(List<Step> steps, int from, List<List<Step>> all) {
        if (from == steps.size()) {
            all.add(List.copyOf(steps));
        }
        for (int i = from; i < steps.size(); i++) {
            Collections.swap(steps, from, i);
            permute(steps, from + 1, all);
            Collections.swap(steps, from, i);
        }
    }

    private static <T> Event<T> event(String aggregateType, UUID aggregateId, long sequence, T payload) {
        return new Event<>(
                UUID.randomUUID().toString(),
                "sales",
                payload.getClass().getSimpleName(),
                payload.getClass().getSimpleName(),
                aggregateType,
                aggregateId.toString(),
                sequence,
                null,
                TIME,
                Map.of(),
                payload,
                "sales." + aggregateType,
                0,
                0);
    }

    private interface Step {
        void apply(Connection connection) throws SQLException;
    }
}
