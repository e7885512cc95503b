package dev.tributary.samples.sales.order;

import java.time.Instant;
import java.util.List;
import java.util.UUID;

/** What can be asked of an order. */
sealed interface OrderCommand {
    /** Of one that is not placed yet. */
    record Place(UUID orderId, UUID customerId, List<OrderLine> lines, Instant at) implements OrderCommand {}

    /** Of one that is. Asked again it changes nothing. */
    record Ship(UUID orderId, Instant at) implements OrderCommand {}
}
