package dev.tributary.samples.sales.order;

import java.time.Instant;
import java.util.UUID;

/** {@code order.shipped.v1}. */
public record OrderShipped(UUID orderId, Instant shippedAt) implements OrderEvent {}
