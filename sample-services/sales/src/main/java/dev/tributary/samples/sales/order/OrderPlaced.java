package dev.tributary.samples.sales.order;

import java.time.Instant;
import java.util.List;
import java.util.UUID;

/** {@code order.placed.v1}. */
public record OrderPlaced(UUID orderId, UUID customerId, List<OrderLine> lines, long totalCents, Instant placedAt)
        implements OrderEvent {}
