package dev.tributary.samples.sales.customer;

import java.util.UUID;

/**
 * {@code customer.renamed.v2}: the customer's name from now on. In {@code v1} it was called {@code name}, which readers took
 * for the old one.
 */
public record CustomerRenamed(UUID customerId, String newName) {}
