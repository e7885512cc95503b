-- What repairs of views have changed. Every statement may run any number of times.

-- One at a time, the other scripts included: IF NOT EXISTS and OR REPLACE fail when two sessions meet in them.
DO $$ BEGIN PERFORM pg_advisory_xact_lock(hashtext('tributary schema')); END $$;

CREATE TABLE IF NOT EXISTS tributary.view_repair (
    repair_order bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription text COLLATE "C" NOT NULL,
    schema_name  text        NOT NULL,
    table_name   text        NOT NULL,
    row_key      jsonb       NOT NULL,
    kind         text        NOT NULL,
    before       jsonb,
    after        jsonb,
    positions    jsonb       NOT NULL,
    repaired_at  timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE tributary.view_repair IS
    'Rows of views that were not what their events make of them, and have been replaced. Nothing reads or deletes them but people.';
COMMENT ON COLUMN tributary.view_repair.kind IS
    'MISSING, EXTRA or DIFFERENT: what was wrong with the row in the view.';
COMMENT ON COLUMN tributary.view_repair.before IS
    'The columns that differed as they were, as texts; null if there was no such row.';
COMMENT ON COLUMN tributary.view_repair.after IS
    'The same as they are now; null if the row was removed.';
COMMENT ON COLUMN tributary.view_repair.positions IS
    'Per topic partition, the offset that everything before had been applied in both.';
