-- What retention has taken out of tributary.outbox. Every statement may run any number of times.

-- One at a time, the other scripts included: IF NOT EXISTS and OR REPLACE fail when two sessions meet in them.
DO $$ BEGIN PERFORM pg_advisory_xact_lock(hashtext('tributary schema')); END $$;

-- One row at most: a history that is gone on with finds out by it that it would have a hole.
CREATE TABLE IF NOT EXISTS tributary.outbox_dropped (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    lsn pg_lsn  NOT NULL
);

COMMENT ON TABLE tributary.outbox_dropped IS
    'Tributary: all events that retention has taken out of tributary.outbox had committed below this LSN.';
