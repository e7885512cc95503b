CREATE TABLE customer (
    id            uuid PRIMARY KEY,
    name          text NOT NULL,
    email         text NOT NULL,
    registered_at timestamptz NOT NULL
);
