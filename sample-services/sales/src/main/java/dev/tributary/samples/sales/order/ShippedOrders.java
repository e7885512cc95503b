package dev.tributary.samples.sales.order;

import dev.tributary.consumer.Event;
import dev.tributary.consumer.micronaut.EventSubscription;
import dev.tributary.consumer.micronaut.OnEvent;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.ZoneOffset;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Marks orders shipped when fulfilment says so. */
@EventSubscription(name = "sales-shipped-orders", topics = "fulfilment.shipment")
class ShippedOrders {
    private static final Logger LOG = LoggerFactory.getLogger(ShippedOrders.class);

    @OnEvent("shipment.shipped.v1")
    void shipped(Event<ShipmentShipped> event, Connection connection) throws SQLException {
        ShipmentShipped shipment = event.payload();
        try (PreparedStatement update =
                connection.prepareStatement("UPDATE orders SET status = 'SHIPPED', shipped_at = ? WHERE id = ?")) {
            update.setObject(1, shipment.shippedAt().atOffset(ZoneOffset.UTC));
            update.setObject(2, shipment.orderId());
            // An order that is shipped was placed here first, so it is here: the event followed from ours
            if (update.executeUpdate() == 0) {
                LOG.warn("Shipment {} is of an order that was never placed here: {}", event.aggregateId(), shipment);
            }
        }
    }
}
