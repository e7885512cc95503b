package dev.tributary.samples.fulfilment;

import java.time.Instant;
import java.util.UUID;

/** {@code shipment.shipped.v1}: a shipment's only event. */
public record ShipmentShipped(
        UUID shipmentId, UUID orderId, UUID customerId, String carrier, String tracking, Instant shippedAt) {}
