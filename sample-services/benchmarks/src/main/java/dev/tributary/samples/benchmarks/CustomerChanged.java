package dev.tributary.samples.benchmarks;

import java.time.Instant;

/** The payload of the events that {@code benchmarks apply} applies; the view has a column for each field. */
record CustomerChanged(String customerId, String name, String email, long totalCents, Instant changedAt) {
    static final String AGGREGATE_TYPE = "customer";
    static final String EVENT_TYPE = "customer.changed.v1";
    static final String TABLE =
            "(customer_id text PRIMARY KEY, name text NOT NULL, email text NOT NULL, total_cents bigint NOT NULL,"
                    + " changed_at timestamptz NOT NULL)";
    static final String UPSERT =
            "INSERT INTO customer (customer_id, name, email, total_cents, changed_at) VALUES (?, ?, ?, ?, ?)"
                    + " ON CONFLICT (customer_id) DO UPDATE SET name = EXCLUDED.name, email = EXCLUDED.email,"
                    + " total_cents = EXCLUDED.total_cents, changed_at = EXCLUDED.changed_at";
}
