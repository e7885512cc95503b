package dev.tributary.samples.support;

import dev.tributary.consumer.Event;
import dev.tributary.consumer.micronaut.EventSubscription;
import dev.tributary.consumer.micronaut.OnEvent;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import org.jspecify.annotations.Nullable;

/**
 * Feeds support's view from three topics.
 *
 * <p>What is certain: the events of one aggregate come in order, and each takes effect once. What is not: anything about
 * the order <em>between</em> aggregates. A shipment may be heard of before its order, an order before its customer. So
 * the handlers must commute: whatever order they run in, the same rows have to come out.
 *
 * <p>The simplest way there: each topic has a table of its own, upserted by its own aggregate's key, and no handler reads
 * or writes another's. What belongs together is joined when somebody asks ({@code order_view} and {@code customer_view}
 * in the migration). A row then has one writer, the worker of its aggregate's partition, so workers never wait for each
 * other's row locks either; a row per customer with counters in it would make them queue, and deadlock.
 */
@EventSubscription(
        name = CustomerViewUpdates.SUBSCRIPTION,
        topics = {"sales.customer", "sales.order", "fulfilment.shipment"})
class CustomerViewUpdates {
    static final String SUBSCRIPTION = "support-customer-view";

    @OnEvent("customer.registered.v1")
    void registered(Event<CustomerRegistered> event, Connection connection) throws SQLException {
        CustomerRegistered customer = event.payload();
        execute(
                connection,
                """
                INSERT INTO customer AS seen (customer_id, name, email, registered_at, sequence)
                VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (customer_id) DO UPDATE
                   SET name = excluded.name, email = excluded.email, registered_at = excluded.registered_at,
                       sequence = excluded.sequence, times_applied = seen.times_applied + 1,
                       applied_at = clock_timestamp()""",
                customer.customerId(),
                customer.name(),
                customer.email(),
                customer.registeredAt(),
                event.sequence());
    }

    /** The last name wins, as one customer's events come in order. {@link OldEvents} makes these of {@code v1}. */
    @OnEvent("customer.renamed.v2")
    void renamed(Event<CustomerRenamed> event, Connection connection) throws SQLException {
        CustomerRenamed customer = event.payload();
        execute(connection, """
                INSERT INTO customer AS seen (customer_id, name, sequence) VALUES (?, ?, ?)
                ON CONFLICT (customer_id) DO UPDATE
                   SET name = excluded.name, sequence = excluded.sequence,
                       times_applied = seen.times_applied + 1, applied_at = clock_timestamp()""", customer.customerId(), customer.newName(), event.sequence());
    }

    @OnEvent("order.placed.v1")
    void placed(Event<OrderPlaced> event, Connection connection) throws SQLException {
        OrderPlaced order = event.payload();
        execute(connection, """
                INSERT INTO placed_order AS seen (order_id, customer_id, placed_at, total_cents) VALUES (?, ?, ?, ?)
                ON CONFLICT (order_id) DO UPDATE SET times_applied = seen.times_applied + 1""", order.orderId(), order.customerId(), order.placedAt(), order.totalCents());
    }

    @OnEvent("order.shipped.v1")
    void orderShipped(Event<OrderShipped> event, Connection connection) throws SQLException {
        OrderShipped order = event.payload();
        execute(connection, """
                INSERT INTO shipped_order AS seen (order_id, shipped_at) VALUES (?, ?)
                ON CONFLICT (order_id) DO UPDATE SET times_applied = seen.times_applied + 1""", order.orderId(), order.shippedAt());
    }

    @OnEvent("shipment.shipped.v1")
    void shipped(Event<ShipmentShipped> event, Connection connection) throws SQLException {
        ShipmentShipped shipment = event.payload();
        execute(connection, """
                INSERT INTO shipment AS seen (order_id, carrier, tracking, shipped_at) VALUES (?, ?, ?, ?)
                ON CONFLICT (order_id) DO UPDATE SET times_applied = seen.times_applied + 1""", shipment.orderId(), shipment.carrier(), shipment.tracking(), shipment.shippedAt());
    }

    private static void execute(Connection connection, String sql, @Nullable Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                Object value = values[i];
                statement.setObject(i + 1, value instanceof Instant time ? time.atOffset(ZoneOffset.UTC) : value);
            }
            statement.executeUpdate();
        }
    }
}
