package dev.tributary.samples.support;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.time.Instant;
import java.util.UUID;

/** What support needs of fulfilment's {@code shipment.shipped.v1}. */
@JsonIgnoreProperties(ignoreUnknown = true)
record ShipmentShipped(UUID orderId, String carrier, String tracking, Instant shippedAt) {}
