/**
 * The fulfilment service: ships what sales announces. It knows orders only as something to ship: no prices, no customers
 * beyond an id to pass on.
 *
 * <p>HTTP, JSON, port 8082 unless configured:
 * <pre>
 * GET /shipments/{orderId}   200 {id, orderId, customerId, items: [{product, quantity}], carrier, tracking, shippedAt}, 404
 * GET /health
 * </pre>
 *
 * <p>Table: {@code shipment} (id, order_id, customer_id, items, carrier, tracking, shipped_at).
 *
 * <p>Hears {@code order.placed.v1} from {@code sales.order}, entry {@link dev.tributary.samples.fulfilment.Shipping};
 * announces {@code shipment.shipped.v1} (topic {@code fulfilment.shipment}) in the same transaction.
 */
@NullMarked
package dev.tributary.samples.fulfilment;

import org.jspecify.annotations.NullMarked;
