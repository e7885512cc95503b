package dev.tributary.samples.support;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.time.Instant;
import java.util.UUID;

/** What support needs of sales' {@code order.placed.v1}: not what is in it, but what it costs. */
@JsonIgnoreProperties(ignoreUnknown = true)
record OrderPlaced(UUID orderId, UUID customerId, long totalCents, Instant placedAt) {}
