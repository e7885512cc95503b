-- Roles with no more rights than they need, to be granted to those that log in: GRANT tributary_writer TO sales.
-- No part of the Flyway scripts: creating roles takes CREATEROLE, and roles belong to the whole server. May run any
-- number of times, whenever tables have come into being since.

-- One at a time, the other scripts included
DO $$ BEGIN PERFORM pg_advisory_xact_lock(hashtext('tributary schema')); END $$;

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['tributary_writer', 'tributary_reader', 'tributary_relay'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object THEN
                NULL; -- in another database of this server, just now
            END;
        END IF;
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA tributary TO tributary_writer, tributary_reader, tributary_relay;

-- Publishes and appends, and sees neither an event nor what is in a snapshot; deletes nothing.
GRANT INSERT ON tributary.outbox, tributary.event_store TO tributary_writer;
GRANT INSERT, SELECT, UPDATE (sequence, room) ON tributary.aggregate TO tributary_writer;
GRANT INSERT, SELECT (aggregate_type, aggregate_id), UPDATE (sequence, type, state) ON tributary.snapshot
    TO tributary_writer;

-- Reads events. Whoever keeps aggregates as their events needs both.
GRANT SELECT ON tributary.outbox, tributary.event_store, tributary.aggregate, tributary.snapshot, tributary.outbox_readable,
    tributary.event_store_readable TO tributary_reader;

-- What the relay reads besides its stream, and where it sets events aside. REPLICATION is an attribute and cannot be
-- granted: ALTER ROLE … REPLICATION (on Amazon RDS: GRANT rds_replication).
GRANT SELECT ON tributary.aggregate, tributary.outbox, tributary.event_store TO tributary_relay;
GRANT SELECT ON tributary.outbox_dropped TO tributary_relay;
GRANT SELECT, INSERT, UPDATE ON tributary.dead_letter TO tributary_relay;
