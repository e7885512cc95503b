package dev.tributary.samples.sales.order;

import dev.tributary.outbox.EventStore;
import dev.tributary.outbox.aggregate.Aggregates;
import dev.tributary.samples.sales.order.OrderCommand.Place;
import dev.tributary.samples.sales.order.OrderCommand.Ship;
import jakarta.inject.Singleton;
import jakarta.transaction.Transactional;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Orders, kept as their events in {@code tributary.event_store}: what is stored is what the relay announces. */
@Singleton
class Ordering {
    private final Aggregates<OrderCommand, Optional<Order>, OrderEvent> orders;
    private final Connection connection;

    /** @param connection the ambient transaction's, whichever that is when it is used */
    Ordering(EventStore store, Connection connection) {
        this.orders = Aggregates.of(store, "order", OrderEvent.class, new OrderDecider());
        this.connection = connection;
    }

    /** Empty if there is no such customer. */
    @Transactional
    Optional<Order> place(UUID customerId, List<OrderLine> lines) throws SQLException {
        if (!isCustomer(customerId)) {
            return Optional.empty();
        }
        UUID id = UUID.randomUUID();
        // PostgreSQL keeps microseconds: what we answer and announce is what we would read back
        Instant now = Instant.now().truncatedTo(ChronoUnit.MICROS);
        return orders.handle(connection, id.toString(), new Place(id, customerId, lines, now))
                .state();
    }

    @Transactional
    Optional<Order> find(UUID id) throws SQLException {
        return orders.load(connection, id.toString()).state();
    }

    /**
     * In a transaction of the caller's.
     *
     * @return whether there is such an order
     */
    boolean ship(Connection transaction, UUID id, Instant at) throws SQLException {
        return orders.handle(transaction, id.toString(), new Ship(id, at))
                .state()
                .isPresent();
    }

    private boolean isCustomer(UUID id) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement("SELECT FROM customer WHERE id = ?")) {
            query.setObject(1, id);
            try (ResultSet row = query.executeQuery()) {
                return row.next();
            }
        }
    }
}
