package dev.tributary.samples.support;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.time.Instant;
import java.util.UUID;

/** What support needs of sales' {@code customer.registered.v1}. */
@JsonIgnoreProperties(ignoreUnknown = true)
record CustomerRegistered(UUID customerId, String name, String email, Instant registeredAt) {}
