-- Appending to the event store. The table is in the first script. Every statement may run any number of times.

-- One at a time, the other scripts included: IF NOT EXISTS and OR REPLACE fail when two sessions meet in them.
DO $$ BEGIN PERFORM pg_advisory_xact_lock(hashtext('tributary schema')); END $$;

-- What aggregates are after some of their events, if anybody keeps that. Not in the row of the head, whose every new version,
-- one for each event, would carry it along, in the table and in the log.
CREATE TABLE IF NOT EXISTS tributary.snapshot (
    aggregate_type text COLLATE "C" NOT NULL,
    aggregate_id   text COLLATE "C" NOT NULL,
    sequence       bigint NOT NULL,
    type           text   NOT NULL,
    state          bytea  NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id)
);

COMMENT ON TABLE tributary.snapshot IS 'Tributary: the last snapshot of each aggregate that has one. May be deleted: the events tell as much.';
COMMENT ON COLUMN tributary.snapshot.sequence IS 'Number of the last event in it.';

-- Appends events of one aggregate behind those that it has, in the order given. expected_last and the answer are those of
-- tributary.advance_aggregate: the sequence that the aggregate was at, or, writing nothing, -1 - (the sequence that it is at).
--
-- new_snapshot, if any, is what the aggregate is after these events. For the Java library: the events are not checked.
CREATE OR REPLACE FUNCTION tributary.append_events(
    of_type text, of_id text, expected_last bigint, event_ids uuid[], event_types text[], event_content_types text[],
    event_payloads bytea[], event_headers text[], new_snapshot_type text, new_snapshot bytea) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    event_count int := cardinality(event_ids);
    last bigint := tributary.advance_aggregate(of_type, of_id, event_count, expected_last);
    written bigint;
BEGIN
    IF last < 0 THEN
        RETURN last;
    END IF;
    INSERT INTO tributary.event_store
        (id, aggregate_type, aggregate_id, sequence, type, content_type, payload, headers, occurred_at)
    SELECT e.id, of_type, of_id, last + e.place, e.type, e.content_type, e.payload, e.headers::json, statement_timestamp()
    FROM unnest(event_ids, event_types, event_content_types, event_payloads, event_headers)
        WITH ORDINALITY AS e (id, type, content_type, payload, headers, place)
    ORDER BY e.place;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written < event_count THEN
        PERFORM tributary.refuse_kept_out(written, event_count);
    END IF;
    IF new_snapshot IS NOT NULL THEN
        INSERT INTO tributary.snapshot (aggregate_type, aggregate_id, sequence, type, state)
        VALUES (of_type, of_id, last + event_count, new_snapshot_type, new_snapshot)
        -- Not from "excluded", which takes the right to see what was there
        ON CONFLICT (aggregate_type, aggregate_id)
        DO UPDATE SET sequence = last + event_count, type = new_snapshot_type, state = new_snapshot;
    END IF;
    RETURN last;
END
$$;

-- The same for one event without a snapshot, which is most of them, and cheaper without arrays.
CREATE OR REPLACE FUNCTION tributary.append_event(
    of_type text, of_id text, expected_last bigint, event_id uuid, event_type text, event_content_type text,
    event_payload bytea, event_headers json) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    last bigint := tributary.advance_aggregate(of_type, of_id, 1, expected_last);
BEGIN
    IF last >= 0 THEN
        INSERT INTO tributary.event_store
            (id, aggregate_type, aggregate_id, sequence, type, content_type, payload, headers, occurred_at)
        VALUES (event_id, of_type, of_id, last + 1, event_type, event_content_type, event_payload, event_headers,
                statement_timestamp());
        IF NOT FOUND THEN
            PERFORM tributary.refuse_kept_out(0, 1);
        END IF;
    END IF;
    RETURN last;
END
$$;

-- Appends an event from any language, in the caller's transaction, if the aggregate is at expected_sequence: 0 for one
-- without events, null where any will do. Says whether it did, and the sequence that the aggregate is at now. A conflict
-- leaves the transaction usable: read the aggregate again and decide anew.
CREATE OR REPLACE FUNCTION tributary.append(
    aggregate_type text, aggregate_id text, expected_sequence bigint, event_type text, payload json,
    headers json DEFAULT NULL, OUT appended boolean, OUT sequence bigint)
LANGUAGE plpgsql AS $$
DECLARE
    payload_bytes bytea := convert_to(payload::text, 'UTF8');
    last bigint;
BEGIN
    PERFORM tributary.check_event(aggregate_type, aggregate_id, event_type, payload_bytes, headers);
    IF expected_sequence < 0 THEN
        PERFORM tributary.refuse(format('expected sequence %s is impossible', expected_sequence),
            'Pass the number of the aggregate''s last event, 0 for an aggregate without events, null for any.');
    END IF;
    last := tributary.append_event(aggregate_type, aggregate_id, expected_sequence, tributary.uuid_v7(), event_type,
        'application/json', payload_bytes, headers);
    appended := last >= 0;
    sequence := CASE WHEN appended THEN last + 1 ELSE -1 - last END;
END
$$;
