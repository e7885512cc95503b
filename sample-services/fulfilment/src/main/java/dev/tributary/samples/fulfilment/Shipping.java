package dev.tributary.samples.fulfilment;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.consumer.Event;
import dev.tributary.consumer.micronaut.EventSubscription;
import dev.tributary.consumer.micronaut.OnEvent;
import dev.tributary.outbox.NewEvent;
import dev.tributary.outbox.Outbox;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.UUID;

/**
 * Ships every placed order. The shipment's row, its event and the subscription's position share one transaction, the
 * connection's: an order is shipped once and announced once, whatever is killed in between. That is why everything here
 * goes through that connection, and nothing through a repository, which would have a connection of its own.
 */
@EventSubscription(name = "fulfilment-shipping", topics = "sales.order")
class Shipping {
    private static final int PARCEL_ITEMS_MAX = 20;
    private static final String INSERT = """
            INSERT INTO shipment (id, order_id, customer_id, items, carrier, tracking, shipped_at)
            VALUES (?, ?, ?, ?::jsonb, ?, ?, ?)""";

    private final Outbox outbox;
    private final ObjectMapper mapper;

    Shipping(Outbox outbox, ObjectMapper mapper) {
        this.outbox = outbox;
        this.mapper = mapper;
    }

    @OnEvent("order.placed.v1")
    void ship(Event<OrderPlaced> event, Connection connection) throws SQLException, JsonProcessingException {
        Shipment shipment = pack(event.payload());
        insert(shipment, connection);
        outbox.publish(
                connection,
                NewEvent.of("shipment", shipment.id().toString(), announcement(shipment))
                        .causationId(event.id()));
    }

    private static Shipment pack(OrderPlaced order) {
        int items = order.lines().stream().mapToInt(Item::quantity).sum();
        UUID id = UUID.randomUUID();
        return new Shipment(
                id,
                order.orderId(),
                order.customerId(),
                List.copyOf(order.lines()),
                items <= PARCEL_ITEMS_MAX ? "Swift Parcel" : "Steady Freight",
                "TR-" + id.toString().substring(24),
                Instant.now().truncatedTo(ChronoUnit.MICROS));
    }

    private void insert(Shipment shipment, Connection connection) throws SQLException, JsonProcessingException {
        try (PreparedStatement insert = connection.prepareStatement(INSERT)) {
            insert.setObject(1, shipment.id());
            insert.setObject(2, shipment.orderId());
            insert.setObject(3, shipment.customerId());
            insert.setString(4, mapper.writeValueAsString(shipment.items()));
            insert.setString(5, shipment.carrier());
            insert.setString(6, shipment.tracking());
            insert.setObject(7, shipment.shippedAt().atOffset(ZoneOffset.UTC));
            insert.executeUpdate();
        }
    }

    private static ShipmentShipped announcement(Shipment shipment) {
        return new ShipmentShipped(
                shipment.id(),
                shipment.orderId(),
                shipment.customerId(),
                shipment.carrier(),
                shipment.tracking(),
                shipment.shippedAt());
    }
}
