CREATE TABLE shipment (
    id          uuid PRIMARY KEY,
    -- One shipment for an order: were an event ever handled twice, it would fail here and not go unnoticed
    order_id    uuid NOT NULL UNIQUE,
    customer_id uuid NOT NULL,
    items       jsonb NOT NULL,
    carrier     text NOT NULL,
    tracking    text NOT NULL,
    shipped_at  timestamptz NOT NULL
);
