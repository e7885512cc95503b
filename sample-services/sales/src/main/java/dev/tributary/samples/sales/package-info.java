/**
 * The sales service: {@link dev.tributary.samples.sales.customer customers} and their
 * {@link dev.tributary.samples.sales.order orders}, two contexts in one database.
 *
 * <p>HTTP, JSON, port 8080 unless configured:
 * <pre>
 * POST /customers       {name, email}       201 {id, name, email, registeredAt}
 * GET  /customers/{id}                      200, 404
 * PUT  /customers/{id}  {name}              200, 404
 * POST /orders          {customerId, lines: [{product, quantity, unitPriceCents}]}
 *                                           201 {id, customerId, lines, totalCents, status, placedAt, shippedAt}
 * GET  /orders/{id}                         200, 404
 * GET  /health
 * </pre>
 * What is not acceptable is answered with 400, an unknown customer's order included. {@code status} is PLACED or SHIPPED,
 * {@code shippedAt} absent until then.
 *
 * <p>Customers are kept as they are, in the table {@code customer} (id, name, email, registered_at), and their events go
 * through the outbox. Orders are kept as their events, in {@code tributary.event_store}, and nowhere else.
 *
 * <p>Announces {@code customer.registered.v1}, {@code customer.renamed.v2} (topic {@code sales.customer}) and
 * {@code order.placed.v1} and {@code order.shipped.v1} (topic {@code sales.order}). Hears {@code shipment.shipped.v1} from
 * {@code fulfilment.shipment}.
 */
@NullMarked
package dev.tributary.samples.sales;

import org.jspecify.annotations.NullMarked;
