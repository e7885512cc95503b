CREATE TABLE customer (
    id            uuid PRIMARY KEY,
    name          text NOT NULL,
    email         text NOT NULL,
    registered_at timestamptz NOT NULL
);

CREATE TABLE orders (
    id          uuid PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customer,
    lines       jsonb NOT NULL,
    total_cents bigint NOT NULL,
    status      text NOT NULL,
    placed_at   timestamptz NOT NULL,
    shipped_at  timestamptz,
    CHECK (status IN ('PLACED', 'SHIPPED') AND (status = 'SHIPPED') = (shipped_at IS NOT NULL))
);
