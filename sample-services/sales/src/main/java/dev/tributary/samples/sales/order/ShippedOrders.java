package dev.tributary.samples.sales.order;

import dev.tributary.consumer.Event;
import dev.tributary.consumer.micronaut.EventSubscription;
import dev.tributary.consumer.micronaut.OnEvent;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientException;

/** Ships orders when fulfilment says so: the order's own event commits with the position in fulfilment's topic. */
@EventSubscription(name = "sales-shipped-orders", topics = "fulfilment.shipment")
class ShippedOrders {
    private final Ordering ordering;

    ShippedOrders(Ordering ordering) {
        this.ordering = ordering;
    }

    @OnEvent("shipment.shipped.v1")
    void shipped(Event<ShipmentShipped> event, Connection connection) throws SQLException {
        ShipmentShipped shipment = event.payload();
        // It followed from our event, so the order was placed here. But the relay reads an event from PostgreSQL's log,
        // and
        // may do so milliseconds before the transaction that wrote it is over for everybody else: then try again
        if (!ordering.ship(connection, shipment.orderId(), shipment.shippedAt())) {
            throw new SQLTransientException("order " + shipment.orderId() + " is not visible here yet");
        }
    }
}
