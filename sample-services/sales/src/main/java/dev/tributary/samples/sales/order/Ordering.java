package dev.tributary.samples.sales.order;

import dev.tributary.outbox.NewEvent;
import dev.tributary.outbox.micronaut.TransactionalOutbox;
import jakarta.inject.Singleton;
import jakarta.transaction.Transactional;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Takes an order and announces it, in one transaction: both happen, or neither. */
@Singleton
class Ordering {
    private final Orders orders;
    private final TransactionalOutbox outbox;

    Ordering(Orders orders, TransactionalOutbox outbox) {
        this.orders = orders;
        this.outbox = outbox;
    }

    /** Empty if there is no such customer. */
    @Transactional
    Optional<Order> place(UUID customerId, List<OrderLine> lines) {
        if (!orders.isCustomer(customerId)) {
            return Optional.empty();
        }
        // PostgreSQL keeps microseconds: what we answer and announce is what we would read back
        Instant now = Instant.now().truncatedTo(ChronoUnit.MICROS);
        long totalCents = lines.stream().mapToLong(OrderLine::cents).sum();
        Order order = orders.save(
                new Order(UUID.randomUUID(), customerId, lines, totalCents, Order.Status.PLACED, now, null));
        outbox.publish(NewEvent.of(
                "order", order.id().toString(), new OrderPlaced(order.id(), customerId, lines, totalCents, now)));
        return Optional.of(order);
    }
}
