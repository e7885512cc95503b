package dev.tributary.samples.sales.customer;

import java.time.Instant;
import java.util.UUID;

/** {@code customer.registered.v1}: always a customer's first event. */
public record CustomerRegistered(UUID customerId, String name, String email, Instant registeredAt) {}
