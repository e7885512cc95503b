package dev.tributary.samples.sales.order;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.samples.sales.order.OrderCommand.Place;
import dev.tributary.samples.sales.order.OrderCommand.Ship;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Needs neither database nor mocks: given events, when a command, then events. */
class OrderDeciderTest {
    private static final UUID ORDER = UUID.randomUUID();
    private static final UUID CUSTOMER = UUID.randomUUID();
    private static final Instant TIME = Instant.parse("2026-01-02T03:04:05Z");
    private static final List<OrderLine> LINES =
            List.of(new OrderLine("teapot", 2, 1250), new OrderLine("spoon", 1, 99));
    private static final Place PLACE = new Place(ORDER, CUSTOMER, LINES, TIME);
    private static final OrderPlaced PLACED = new OrderPlaced(ORDER, CUSTOMER, LINES, 2_599, TIME);
    private static final OrderShipped SHIPPED = new OrderShipped(ORDER, TIME.plusSeconds(60));

    private final OrderDecider decider = new OrderDecider();

    private Optional<Order> after(OrderEvent... events) {
        Optional<Order> order = decider.initial();
        for (OrderEvent event : events) {
            order = decider.evolve(order, event);
        }
        return order;
    }

    @Test
    void an_order_is_placed_once() {
        assertThat(decider.decide(PLACE, after())).containsExactly(PLACED);
        assertThat(decider.decide(PLACE, after(PLACED))).isEmpty();
    }

    @Test
    void a_placed_order_is_shipped_once() {
        Ship ship = new Ship(ORDER, SHIPPED.shippedAt());
        assertThat(decider.decide(ship, after())).isEmpty();
        assertThat(decider.decide(ship, after(PLACED))).containsExactly(SHIPPED);
        assertThat(decider.decide(ship, after(PLACED, SHIPPED))).isEmpty();
        assertThat(after(PLACED, SHIPPED)).hasValueSatisfying(order -> {
            assertThat(order.status()).isEqualTo(Order.Status.SHIPPED);
            assertThat(order.shippedAt()).isEqualTo(SHIPPED.shippedAt());
        });
    }
}
