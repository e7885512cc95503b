package dev.tributary.samples.support;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.time.Instant;
import java.util.UUID;

/** What support needs of sales' {@code order.shipped.v1}. */
@JsonIgnoreProperties(ignoreUnknown = true)
record OrderShipped(UUID orderId, Instant shippedAt) {}
