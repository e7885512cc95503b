-- Tributary, write side. For PostgreSQL 14 and later.
--
-- Every statement may run again on a database that already has it: `relay init` and a service's Flyway both run this
-- file, in either order. The version is low so that it can stand beside a service's own V1.
--
-- Keys are in collation "C", byte by byte: any other order may change with an upgrade of the operating system or of ICU, and
-- an index then fails to find what is in it, so that a second head begins at 1 again. What is compared with them says
-- COLLATE "C" where it could have come with a collation of its caller's.

-- One at a time, the consumer's script included: IF NOT EXISTS and OR REPLACE fail when two sessions meet in them.
DO $$ BEGIN PERFORM pg_advisory_xact_lock(hashtext('tributary schema')); END $$;

CREATE SCHEMA IF NOT EXISTS tributary;

-- Events on their way to other services. No key and no index: it is only appended to and read from the WAL, and what
-- is not maintained costs writers nothing. Partitions keep it small; without any, everything lands in the default one.
CREATE TABLE IF NOT EXISTS tributary.outbox (
    id             uuid        NOT NULL,
    aggregate_type text COLLATE "C" NOT NULL,
    aggregate_id   text COLLATE "C" NOT NULL,
    sequence       bigint,
    type           text        NOT NULL,
    content_type   text        NOT NULL,
    payload        bytea       NOT NULL,
    headers        json,
    occurred_at    timestamptz NOT NULL
) PARTITION BY RANGE (occurred_at);

CREATE TABLE IF NOT EXISTS tributary.outbox_default PARTITION OF tributary.outbox DEFAULT;

COMMENT ON TABLE tributary.outbox IS
    'Tributary: events of this service, relayed to Kafka. Append only; old partitions are dropped.';
COMMENT ON COLUMN tributary.outbox.sequence IS
    'Number within the aggregate: 1, 2, 3, ... without gaps; null where the writer asked for none.';
COMMENT ON COLUMN tributary.outbox.type IS 'name.vN';
COMMENT ON COLUMN tributary.outbox.headers IS
    'Flat object of strings, keyed by the Kafka header names that they become.';

-- Events of event-sourced aggregates: the same columns, kept for ever.
CREATE TABLE IF NOT EXISTS tributary.event_store (
    id             uuid        NOT NULL,
    aggregate_type text COLLATE "C" NOT NULL,
    aggregate_id   text COLLATE "C" NOT NULL,
    sequence       bigint      NOT NULL,
    type           text        NOT NULL,
    content_type   text        NOT NULL,
    payload        bytea       NOT NULL,
    headers        json,
    occurred_at    timestamptz NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence)
);

COMMENT ON TABLE tributary.event_store IS
    'Tributary: events of event-sourced aggregates, relayed to Kafka and kept for ever. Append only.';

-- The head of each aggregate. Its row lock is what makes sequences free of gaps: a writer holds it until it commits or
-- rolls back. Each event updates this row: the fill factor leaves room for updates that touch no index, and there is no
-- CHECK, whose expression PostgreSQL would read anew for every statement. The relay finds the types by the key's beginning.
--
-- Rows are born wider than they stay. PostgreSQL clears a page of old versions whenever it has less free space than the fill
-- factor says, and rows that stay as they were inserted fill a page just to there, so that each update would clear a page.
CREATE TABLE IF NOT EXISTS tributary.aggregate (
    aggregate_type text COLLATE "C" NOT NULL,
    aggregate_id   text COLLATE "C" NOT NULL,
    sequence       bigint NOT NULL,
    room           text   DEFAULT repeat(' ', 32),
    PRIMARY KEY (aggregate_type, aggregate_id)
) WITH (fillfactor = 70);

COMMENT ON TABLE tributary.aggregate IS 'Tributary: the last sequence of each aggregate.';
COMMENT ON COLUMN tributary.aggregate.room IS
    'Means nothing. Given up with the aggregate''s second event, so that its page has room for new versions of its rows.';

-- An event is a fact that others may have acted on: it is never changed.
CREATE OR REPLACE FUNCTION tributary.refuse_update() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'tributary: events are immutable, UPDATE of %.% is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation',
              HINT = 'Publish a further event that corrects the earlier one.';
END
$$;

-- On the partitioned root it holds for every partition, present and future, also when addressed directly.
CREATE OR REPLACE TRIGGER tributary_refuse_update BEFORE UPDATE ON tributary.outbox
    FOR EACH ROW EXECUTE FUNCTION tributary.refuse_update();
CREATE OR REPLACE TRIGGER tributary_refuse_update BEFORE UPDATE ON tributary.event_store
    FOR EACH ROW EXECUTE FUNCTION tributary.refuse_update();

-- The payload for human eyes: JSON as it is, other text as a JSON string, null for what is no text at all.
CREATE OR REPLACE FUNCTION tributary.readable_payload(payload bytea) RETURNS json
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    payload_text text;
BEGIN
    payload_text := convert_from(payload, 'UTF8');
    RETURN payload_text::json;
EXCEPTION WHEN OTHERS THEN
    RETURN to_json(payload_text);
END
$$;

CREATE OR REPLACE VIEW tributary.outbox_readable AS
SELECT id, aggregate_type, aggregate_id, sequence, type, content_type,
       tributary.readable_payload(payload) AS payload, octet_length(payload) AS payload_bytes, headers, occurred_at
FROM tributary.outbox;

CREATE OR REPLACE VIEW tributary.event_store_readable AS
SELECT id, aggregate_type, aggregate_id, sequence, type, content_type,
       tributary.readable_payload(payload) AS payload, octet_length(payload) AS payload_bytes, headers, occurred_at
FROM tributary.event_store;

-- Locks an aggregate's head until the end of the transaction and moves it on by event_count.
--
-- expected_last is the sequence that the aggregate must be at, 0 for one without events, null where any will do.
-- Returns the sequence that it was at; or, where it is not at the expected one, moves nothing and returns
-- -1 - (the sequence that it is at): a conflict is an answer and not an error, which would cost the caller's
-- transaction. Under REPEATABLE READ and above PostgreSQL itself raises 40001 for what the snapshot cannot see.
CREATE OR REPLACE FUNCTION tributary.advance_aggregate(
    of_type text, of_id text, event_count bigint, expected_last bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    last bigint;
BEGIN
    IF expected_last IS NULL THEN
        INSERT INTO tributary.aggregate AS head (aggregate_type, aggregate_id, sequence)
        VALUES (of_type, of_id, event_count)
        ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE SET sequence = head.sequence + excluded.sequence, room = NULL
        RETURNING head.sequence - event_count INTO last;
        RETURN last;
    ELSIF expected_last = 0 THEN
        INSERT INTO tributary.aggregate (aggregate_type, aggregate_id, sequence)
        VALUES (of_type, of_id, event_count)
        ON CONFLICT DO NOTHING;
    ELSE
        UPDATE tributary.aggregate SET sequence = sequence + event_count, room = NULL
        WHERE aggregate_type = of_type COLLATE "C" AND aggregate_id = of_id COLLATE "C" AND sequence = expected_last;
    END IF;
    IF FOUND THEN
        RETURN expected_last;
    END IF;
    -- With a snapshot of its own, which sees what the writer that we waited for has committed.
    SELECT sequence INTO last FROM tributary.aggregate
    WHERE aggregate_type = of_type COLLATE "C" AND aggregate_id = of_id COLLATE "C";
    RETURN -1 - coalesce(last, 0);
END
$$;

-- What a trigger of somebody's keeps out would be lost without a word.
CREATE OR REPLACE FUNCTION tributary.refuse_kept_out(written bigint, given bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'tributary: the database has written % of % events', written, given
        USING ERRCODE = 'triggered_action_exception',
              HINT = 'Look for a trigger or a rule on the table of events that keeps rows out, and drop it.';
END
$$;

-- Writes one event with its aggregate's next sequence and returns that; on a conflict writes nothing and returns what
-- advance_aggregate returns. For the Java library and tributary.publish: the event is not checked.
CREATE OR REPLACE FUNCTION tributary.write_event(
    event_id uuid, of_type text, of_id text, event_type text, event_content_type text, event_payload bytea,
    event_headers json, expected_last bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    last bigint := tributary.advance_aggregate(of_type, of_id, 1, expected_last);
BEGIN
    IF last < 0 THEN
        RETURN last;
    END IF;
    INSERT INTO tributary.outbox
        (id, aggregate_type, aggregate_id, sequence, type, content_type, payload, headers, occurred_at)
    VALUES (event_id, of_type, of_id, last + 1, event_type, event_content_type, event_payload, event_headers,
            statement_timestamp());
    IF NOT FOUND THEN
        PERFORM tributary.refuse_kept_out(0, 1);
    END IF;
    RETURN last + 1;
END
$$;

-- Writes many events of many aggregates, in the order given: that is their order in the WAL and so in Kafka.
--
-- The first four arrays have one element for each aggregate, in an order that is the same for all callers, so that two
-- writers of the same aggregates queue up and do not deadlock. The others have one for each event: event_aggregates is
-- the index of its aggregate among the former, 0 for an event without sequence; event_offsets counts the events of that
-- aggregate from 1. Returns for each aggregate what advance_aggregate returns, up to the first conflict; if there is
-- one, nothing is written and no head moved. For the Java library: the events are not checked.
CREATE OR REPLACE FUNCTION tributary.write_events(
    head_types text[], head_ids text[], event_counts bigint[], expected_lasts bigint[],
    event_ids uuid[], of_types text[], of_ids text[], event_types text[], event_content_types text[],
    event_payloads bytea[], event_headers text[], event_aggregates int[], event_offsets int[]) RETURNS bigint[]
LANGUAGE plpgsql AS $$
DECLARE
    lasts bigint[] := '{}';
    conflict boolean := false;
    written bigint;
BEGIN
    IF cardinality(head_ids) > 1 AND cardinality(array_remove(expected_lasts, NULL)) > 0 THEN
        -- A subtransaction takes back the heads already moved when a later one is in conflict.
        BEGIN
            FOR i IN 1 .. cardinality(head_ids) LOOP
                lasts[i] := tributary.advance_aggregate(head_types[i], head_ids[i], event_counts[i], expected_lasts[i]);
                conflict := lasts[i] < 0;
                IF conflict THEN
                    RAISE EXCEPTION USING ERRCODE = 'TRB01';
                END IF;
            END LOOP;
        EXCEPTION WHEN SQLSTATE 'TRB01' THEN
            RETURN lasts;
        END;
    ELSE
        FOR i IN 1 .. cardinality(head_ids) LOOP
            lasts[i] := tributary.advance_aggregate(head_types[i], head_ids[i], event_counts[i], expected_lasts[i]);
            conflict := lasts[i] < 0;
        END LOOP;
    END IF;
    IF conflict THEN
        RETURN lasts;
    END IF;
    INSERT INTO tributary.outbox
        (id, aggregate_type, aggregate_id, sequence, type, content_type, payload, headers, occurred_at)
    SELECT e.id, e.of_type, e.of_id, lasts[e.aggregate] + e.ahead, e.type, e.content_type, e.payload, e.headers::json,
           statement_timestamp()
    FROM unnest(event_ids, of_types, of_ids, event_types, event_content_types, event_payloads, event_headers,
                event_aggregates, event_offsets)
        WITH ORDINALITY AS e (id, of_type, of_id, type, content_type, payload, headers, aggregate, ahead, place)
    ORDER BY e.place;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written < cardinality(event_ids) THEN
        PERFORM tributary.refuse_kept_out(written, cardinality(event_ids));
    END IF;
    RETURN lasts;
END
$$;

-- UUID version 7, which PostgreSQL has of its own only since 18: milliseconds, then random bits.
CREATE OR REPLACE FUNCTION tributary.uuid_v7() RETURNS uuid
LANGUAGE sql VOLATILE AS $$
    -- Setting two bits turns the 4 of the version nibble into a 7.
    SELECT encode(set_bit(set_bit(
        overlay(uuid_send(gen_random_uuid())
            PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
        52, 1), 53, 1), 'hex')::uuid
$$;

CREATE OR REPLACE FUNCTION tributary.refuse(what text, remedy text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'tributary: %', what USING ERRCODE = 'invalid_parameter_value', HINT = remedy;
END
$$;

-- Whether a text has nothing to see, by the rule of Java's String.isBlank: whatever the database's locale takes for space.
CREATE OR REPLACE FUNCTION tributary.is_blank(given text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(given, '') COLLATE "C" !~ '[^\u0009-\u000d\u001c-\u0020\u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000]'
$$;

-- Refuses headers that could not be told from the library's own, or that Kafka would have no room for.
CREATE OR REPLACE FUNCTION tributary.check_headers(headers json) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    header record;
    names text[] := '{}';
    header_bytes int := 0;
BEGIN
    IF json_typeof(headers) <> 'object' THEN
        PERFORM tributary.refuse('headers are a JSON ' || json_typeof(headers),
            'Pass a flat object of strings, such as {"tenant": "acme"}.');
    END IF;
    FOR header IN SELECT key, value, json_typeof(value) AS kind, value #>> '{}' AS text FROM json_each(headers) LOOP
        IF tributary.is_blank(header.key) THEN
            PERFORM tributary.refuse('a header has a blank name', 'Name every header.');
        ELSIF header.kind <> 'string' THEN
            PERFORM tributary.refuse(format('header %I is a JSON %s', header.key, header.kind),
                'Header values are strings: put the value in quotes, or move it to the payload.');
        ELSIF header.key = ANY (names) THEN
            PERFORM tributary.refuse(format('header %I is there twice', header.key), 'Give each header once.');
        ELSIF header.key = 'traceparent' THEN
            IF header.text !~ '^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$' THEN
                PERFORM tributary.refuse(format('traceparent %L is not in the form of W3C trace context', header.text),
                    'Pass it as your tracer gives it, 00-<32 hex>-<16 hex>-<2 hex> in lower case, or leave it out.');
            END IF;
        ELSIF header.key = 'tracestate' THEN
            IF header.text !~ '^[ -~]*[!-~][ -~]*$' THEN
                PERFORM tributary.refuse('tracestate is blank or not printable ASCII',
                    'Pass it as your tracer gives it, or leave it out.');
            END IF;
        ELSIF header.key IN ('ce_correlationid', 'ce_causationid') THEN
            IF tributary.is_blank(header.text) THEN
                PERFORM tributary.refuse(format('header %I is blank', header.key), 'Give it a value or leave it out.');
            END IF;
        ELSIF lower(header.key COLLATE "C") ~ '^(ce_|kafka_|(content-type|traceparent|tracestate)$)'
        THEN
            PERFORM tributary.refuse(format('header name %I is reserved', header.key),
                'Choose another name; reserved ones that you may set are traceparent, tracestate, ce_correlationid '
                'and ce_causationid.');
        END IF;
        names := names || header.key;
        header_bytes := header_bytes + octet_length(convert_to(header.key || header.text, 'UTF8'));
    END LOOP;
    IF 'tracestate' = ANY (names) AND NOT 'traceparent' = ANY (names) THEN
        PERFORM tributary.refuse('tracestate has no meaning without traceparent', 'Pass both or neither.');
    END IF;
    IF header_bytes > 65536 THEN
        PERFORM tributary.refuse(format('headers have %s bytes, the limit is 65536', header_bytes),
            'Move large values to the payload.');
    END IF;
END
$$;

-- Refuses what could not be stored, sent or told from other events, by the rules of the Java library with its default limits.
CREATE OR REPLACE FUNCTION tributary.check_event(
    aggregate_type text, aggregate_id text, event_type text, payload bytea, headers json) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(aggregate_type, '') COLLATE "C" !~ '^[A-Za-z0-9._-]{1,100}$' THEN
        PERFORM tributary.refuse(format('aggregate type %L is not usable', aggregate_type),
            'It becomes part of a topic name: use 1 to 100 of A-Z a-z 0-9 . _ -');
    ELSIF tributary.is_blank(aggregate_id) THEN
        PERFORM tributary.refuse('aggregate id is null or blank',
            'Pass the id of the aggregate that the event belongs to; it becomes the Kafka key.');
    ELSIF octet_length(convert_to(aggregate_id, 'UTF8')) > 1024 THEN
        PERFORM tributary.refuse(
            format('aggregate id has %s bytes, the limit is 1024', octet_length(convert_to(aggregate_id, 'UTF8'))),
            'Use a shorter id, such as the aggregate''s primary key.');
    ELSIF coalesce(event_type, '') COLLATE "C" !~ '^[A-Za-z0-9][A-Za-z0-9._:/-]*\.v[1-9][0-9]{0,8}$'
        OR length(event_type) > 255
    THEN
        PERFORM tributary.refuse(format('event type %L is not usable', event_type),
            'Use <name>.v<version> of at most 255 characters, such as order.placed.v1; the name is of '
            'A-Z a-z 0-9 . _ : / -');
    ELSIF payload IS NULL THEN
        PERFORM tributary.refuse('payload is null', 'Pass {} for an event that has nothing to say but its type.');
    ELSIF octet_length(payload) > 921600 THEN
        PERFORM tributary.refuse(format('payload has %s bytes, the limit is 921600', octet_length(payload)),
            'Kafka refuses records over 1 MiB: store the large part elsewhere and publish a reference to it.');
    ELSIF headers IS NOT NULL THEN
        PERFORM tributary.check_headers(headers);
    END IF;
END
$$;

-- Publishes an event from any language, in the caller's transaction, with the aggregate's next sequence. Returns its id.
--
-- headers is a flat object of strings: your own, and traceparent, tracestate, ce_correlationid, ce_causationid where you
-- have them.
CREATE OR REPLACE FUNCTION tributary.publish(
    aggregate_type text, aggregate_id text, event_type text, payload json, headers json DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    id uuid := tributary.uuid_v7();
    payload_bytes bytea := convert_to(payload::text, 'UTF8');
BEGIN
    PERFORM tributary.check_event(aggregate_type, aggregate_id, event_type, payload_bytes, headers);
    PERFORM tributary.write_event(
        id, aggregate_type, aggregate_id, event_type, 'application/json', payload_bytes, headers, NULL);
    RETURN id;
END
$$;
