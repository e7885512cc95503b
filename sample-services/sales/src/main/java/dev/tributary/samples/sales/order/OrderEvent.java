package dev.tributary.samples.sales.order;

/** What can have happened to an order: its events are all that is kept of it. */
public sealed interface OrderEvent permits OrderPlaced, OrderShipped {}
