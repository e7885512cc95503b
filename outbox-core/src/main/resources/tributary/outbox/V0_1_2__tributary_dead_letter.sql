-- Tributary, write side. Every statement may run again on a database that already has it.

-- One at a time, the other scripts included: IF NOT EXISTS and OR REPLACE fail when two sessions meet in them.
DO $$ BEGIN PERFORM pg_advisory_xact_lock(hashtext('tributary schema')); END $$;

-- Events that Kafka will never take, and what the same aggregate published since, in the order of their positions: the
-- relay sets them aside here if its configuration says so (poison: dead-letter). `relay release` publishes them again.
CREATE TABLE IF NOT EXISTS tributary.dead_letter (
    source text COLLATE "C" NOT NULL,
    position text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    aggregate_type text COLLATE "C" NOT NULL,
    aggregate_id text COLLATE "C" NOT NULL,
    sequence bigint,
    type text NOT NULL,
    content_type text NOT NULL,
    payload bytea NOT NULL,
    headers json,
    occurred_at timestamptz NOT NULL,
    reason text,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    released_at timestamptz,
    PRIMARY KEY (source, position)
);
COMMENT ON COLUMN tributary.dead_letter.position IS 'where the event stands in its source; text order is position order';
COMMENT ON COLUMN tributary.dead_letter.reason IS 'why it cannot be published; null for one that only waits behind such a one';

COMMENT ON COLUMN tributary.dead_letter.released_at IS
    'when it was written to the outbox again; the row stays, so that the relay knows the event should PostgreSQL send it once more';

CREATE INDEX IF NOT EXISTS dead_letter_aggregate
    ON tributary.dead_letter (source, aggregate_type, aggregate_id, position);
