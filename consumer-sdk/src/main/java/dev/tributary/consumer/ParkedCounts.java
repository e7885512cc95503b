package dev.tributary.consumer;

/**
 * How much a subscription has parked.
 *
 * @param aggregates aggregates whose events are set aside
 * @param events their events that are
 */
public record ParkedCounts(long aggregates, long events) {}
