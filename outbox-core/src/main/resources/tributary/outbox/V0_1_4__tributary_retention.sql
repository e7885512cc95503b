-- Retention of tributary.outbox: what is known of its partitions. Every statement may run any number of times.

-- One at a time, the other scripts included: IF NOT EXISTS and OR REPLACE fail when two sessions meet in them.
DO $$ BEGIN PERFORM pg_advisory_xact_lock(hashtext('tributary schema')); END $$;

-- The partitions that retention has made, and the default one. Others are nobody's business but their maker's.
CREATE TABLE IF NOT EXISTS tributary.outbox_partition (
    name        text COLLATE "C" PRIMARY KEY,
    lower_bound timestamptz,
    upper_bound timestamptz,
    sealed_lsn  pg_lsn,
    sealed_size bigint,
    watched     interval,
    detached    boolean NOT NULL DEFAULT false
);

COMMENT ON TABLE tributary.outbox_partition IS
    'Tributary: partitions of tributary.outbox that retention has made, and how near each is to being dropped.';
COMMENT ON COLUMN tributary.outbox_partition.sealed_lsn IS
    'All that was ever written to it committed below; null while it is written to.';
COMMENT ON COLUMN tributary.outbox_partition.sealed_size IS 'Bytes then; another size breaks the seal.';
COMMENT ON COLUMN tributary.outbox_partition.watched IS
    'For how long retention has seen it sealed and confirmed by every slot, on a clock that nobody sets; null if it is not.';
COMMENT ON COLUMN tributary.outbox_partition.detached IS 'It is no part of tributary.outbox any more, and is dropped next.';
