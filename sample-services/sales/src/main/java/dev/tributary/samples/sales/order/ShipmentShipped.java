package dev.tributary.samples.sales.order;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.time.Instant;
import java.util.UUID;

/** What sales cares about in fulfilment's {@code shipment.shipped.v1}; the rest of it may change freely. */
@JsonIgnoreProperties(ignoreUnknown = true)
record ShipmentShipped(UUID orderId, Instant shippedAt) {}
