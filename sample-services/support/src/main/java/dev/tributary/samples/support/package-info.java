/**
 * The support service: a view of customers and their orders, fed by sales and fulfilment, that answers while both are
 * down. It announces nothing.
 *
 * <p>HTTP, JSON, port 8083 unless configured:
 * <pre>
 * GET /customers/{id}         200 {customerId, name, email, registeredAt, ordersPlaced, ordersShipped, totalCents,
 *                                  lastOrderAt, appliedAt}, 404
 * GET /customers/{id}/orders  200 [{orderId, customerId, placedAt, totalCents, status, shippedAt, carrier, tracking,
 *                                   appliedAt, shipmentAppliedAt}], the latest first, at most 100
 * GET /health
 * </pre>
 * What is not known yet is absent.
 *
 * <p>{@code status} is PLACED or SHIPPED, as sales says; {@code shippedAt} is fulfilment's.
 *
 * <p>Tables, those of each topic by themselves ({@link dev.tributary.samples.support.CustomerViewUpdates} says why):
 * {@code customer}, {@code placed_order} and {@code shipped_order}, {@code shipment}. Views over them: {@code customer_view} (customer_id, name,
 * email, registered_at, orders_placed, orders_shipped, total_cents, last_order_at, sequence, times_applied, applied_at)
 * and {@code order_view} (order_id, customer_id, placed_at, total_cents, applied_at, times_applied, status, shipped_at, carrier,
 * tracking, shipment_applied_at, shipment_times_applied). {@code applied_at} is the database's clock just before the
 * commit that made the event visible. {@code times_applied} counts the events that went into a row: 1 for an order and
 * for a shipment, and the customer's {@code sequence} for a customer, or an event took effect twice or never.
 */
@NullMarked
package dev.tributary.samples.support;

import org.jspecify.annotations.NullMarked;
