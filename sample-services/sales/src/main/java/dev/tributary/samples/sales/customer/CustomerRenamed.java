package dev.tributary.samples.sales.customer;

import java.util.UUID;

/** {@code customer.renamed.v1}: the customer's name from now on. */
public record CustomerRenamed(UUID customerId, String name) {}
