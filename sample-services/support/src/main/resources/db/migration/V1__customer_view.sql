-- No event has to wait for one of another topic (see CustomerViewUpdates), hence a table for each topic, and two for orders.
-- applied_at: the database's clock in the transaction that made the row visible, now() being that transaction's start.
-- times_applied: how many events went into the row; more than were announced would mean an effect was doubled.

CREATE TABLE customer (
    customer_id   uuid PRIMARY KEY,
    name          text NOT NULL,
    email         text,
    registered_at timestamptz,
    sequence      bigint NOT NULL,
    times_applied int NOT NULL DEFAULT 1,
    applied_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE placed_order (
    order_id      uuid PRIMARY KEY,
    customer_id   uuid NOT NULL,
    placed_at     timestamptz NOT NULL,
    total_cents   bigint NOT NULL,
    times_applied int NOT NULL DEFAULT 1,
    applied_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX placed_order_of_customer ON placed_order (customer_id, placed_at);

-- What sales says of it; that it has left the house is fulfilment's to say
CREATE TABLE shipped_order (
    order_id      uuid PRIMARY KEY,
    shipped_at    timestamptz NOT NULL,
    times_applied int NOT NULL DEFAULT 1,
    applied_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE shipment (
    order_id      uuid PRIMARY KEY,
    carrier       text NOT NULL,
    tracking      text NOT NULL,
    shipped_at    timestamptz NOT NULL,
    times_applied int NOT NULL DEFAULT 1,
    applied_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- An order shows once it is known here, with its shipment if that is
CREATE VIEW order_view AS
SELECT o.order_id, o.customer_id, o.placed_at, o.total_cents, o.applied_at, o.times_applied,
       CASE WHEN c.order_id IS NULL THEN 'PLACED' ELSE 'SHIPPED' END AS status,
       s.shipped_at, s.carrier, s.tracking, s.applied_at AS shipment_applied_at, s.times_applied AS shipment_times_applied
  FROM placed_order o
  LEFT JOIN shipped_order c USING (order_id)
  LEFT JOIN shipment s USING (order_id);

-- A customer shows once it is known here, with all orders that are
CREATE VIEW customer_view AS
SELECT c.customer_id, c.name, c.email, c.registered_at,
       count(o.order_id) AS orders_placed, count(o.shipped_at) AS orders_shipped,
       coalesce(sum(o.total_cents), 0)::bigint AS total_cents, max(o.placed_at) AS last_order_at,
       c.sequence, c.times_applied, c.applied_at
  FROM customer c
  LEFT JOIN order_view o USING (customer_id)
 GROUP BY c.customer_id;
