-- Which versions of which views there are. Every statement may run any number of times.

-- One at a time, the other scripts included: IF NOT EXISTS and OR REPLACE fail when two sessions meet in them.
DO $$ BEGIN PERFORM pg_advisory_xact_lock(hashtext('tributary schema')); END $$;

CREATE TABLE IF NOT EXISTS tributary.view_version (
    view         text COLLATE "C" NOT NULL,
    version      integer     NOT NULL,
    state        text        NOT NULL CHECK (state IN ('BUILDING', 'LIVE', 'PREVIOUS', 'ABORTED', 'RETIRED')),
    subscription text COLLATE "C" NOT NULL,
    schema_name  text        NOT NULL,
    topics       text[]      NOT NULL,
    fingerprint  text        NOT NULL,
    paused       boolean     NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL DEFAULT now(),
    caught_up_at timestamptz,
    live_at      timestamptz,
    ended_at     timestamptz,
    PRIMARY KEY (view, version)
);

CREATE UNIQUE INDEX IF NOT EXISTS view_version_live ON tributary.view_version (view) WHERE state = 'LIVE';

COMMENT ON TABLE tributary.view_version IS
    'The versions of each view, for all instances: changed by View''s commands, and with the names that readers use.';
COMMENT ON COLUMN tributary.view_version.state IS
    'BUILDING from history; LIVE, which readers'' names lead to; PREVIOUS, still fed, to go back to; ABORTED or RETIRED, gone.';
COMMENT ON COLUMN tributary.view_version.fingerprint IS
    'Of the SQL that created the tables, so that two different ones are not taken for the same version.';
COMMENT ON COLUMN tributary.view_version.caught_up_at IS
    'Since when it has been about as far as the live version; readers'' snapshots from before may not see all of it.';
