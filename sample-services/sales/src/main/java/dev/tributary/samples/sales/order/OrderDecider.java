package dev.tributary.samples.sales.order;

import dev.tributary.outbox.aggregate.Decider;
import dev.tributary.samples.sales.order.OrderCommand.Place;
import dev.tributary.samples.sales.order.OrderCommand.Ship;
import java.util.List;
import java.util.Optional;

/** All there is to know about orders, in two functions; the state is empty until an order is placed. */
final class OrderDecider implements Decider<OrderCommand, Optional<Order>, OrderEvent> {
    @Override
    public Optional<Order> initial() {
        return Optional.empty();
    }

    @Override
    public List<OrderEvent> decide(OrderCommand command, Optional<Order> order) {
        if (command instanceof Place place && order.isEmpty()) {
            long totalCents = place.lines().stream().mapToLong(OrderLine::cents).sum();
            return List.of(new OrderPlaced(place.orderId(), place.customerId(), place.lines(), totalCents, place.at()));
        }
        if (command instanceof Ship ship && order.isPresent() && order.get().status() == Order.Status.PLACED) {
            return List.of(new OrderShipped(ship.orderId(), ship.at()));
        }
        return List.of();
    }

    @Override
    public Optional<Order> evolve(Optional<Order> order, OrderEvent event) {
        if (event instanceof OrderPlaced placed) {
            return Optional.of(new Order(
                    placed.orderId(),
                    placed.customerId(),
                    placed.lines(),
                    placed.totalCents(),
                    Order.Status.PLACED,
                    placed.placedAt(),
                    null));
        }
        return order.map(placed -> placed.shipped(((OrderShipped) event).shippedAt()));
    }
}
