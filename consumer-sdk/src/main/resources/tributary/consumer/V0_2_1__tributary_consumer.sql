-- What a view's database needs for its subscriptions. Every statement may run any number of times.
--
-- Keys are in collation "C", byte by byte: any other order may change with an upgrade of the operating system or of ICU, and
-- an index then fails to find what is in it.

-- Several instances may start at once, beside `relay init` too, and CREATE ... IF NOT EXISTS alone does not survive
-- that. The outbox's script takes the same lock.
DO $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('tributary schema'));
    CREATE SCHEMA IF NOT EXISTS tributary;
EXCEPTION
    WHEN duplicate_schema OR unique_violation THEN NULL;
END $$;

CREATE TABLE IF NOT EXISTS tributary.subscription_position (
    subscription    text COLLATE "C" NOT NULL,
    topic           text COLLATE "C" NOT NULL,
    topic_partition integer     NOT NULL,
    topic_id        text        NOT NULL,
    owner           uuid        NOT NULL,
    instance        text        NOT NULL,
    next_offset     bigint      NOT NULL,
    positions       jsonb       NOT NULL DEFAULT '{}',
    updated_at      timestamptz NOT NULL DEFAULT now(),
    lost            int8range,
    PRIMARY KEY (subscription, topic, topic_partition)
);

COMMENT ON TABLE tributary.subscription_position IS
    'How far each subscription has applied each topic partition; changed only with the view, in one transaction.';
COMMENT ON COLUMN tributary.subscription_position.topic_id IS
    'Kafka''s id of the topic that next_offset belongs to; a recreated topic has another.';
COMMENT ON COLUMN tributary.subscription_position.owner IS
    'The claim that may move this row; every claim is a new one.';
COMMENT ON COLUMN tributary.subscription_position.instance IS
    'Who made the claim, for people.';
COMMENT ON COLUMN tributary.subscription_position.positions IS
    'Per source, the position of the last event applied. Positions of different sources do not compare.';
COMMENT ON COLUMN tributary.subscription_position.lost IS
    'Offsets among which Kafka has lost records that the view includes; nothing is read while next_offset is its end.';

CREATE TABLE IF NOT EXISTS tributary.parked_event (
    park_order      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription    text COLLATE "C" NOT NULL,
    source          text COLLATE "C" NOT NULL,
    aggregate_type  text COLLATE "C" NOT NULL,
    aggregate_id    text COLLATE "C" NOT NULL,
    event_id        text        NOT NULL,
    type            text        NOT NULL,
    topic           text COLLATE "C" NOT NULL,
    topic_partition integer     NOT NULL,
    record_offset   bigint      NOT NULL,
    record_time     timestamptz NOT NULL,
    position        text COLLATE "C",
    sequence        bigint,
    record_key      bytea,
    record_value    bytea,
    headers         json        NOT NULL,
    error           text,
    stack           text,
    attempts        integer     NOT NULL,
    parked_at       timestamptz NOT NULL DEFAULT now(),
    mirrored_at     timestamptz
);

-- An aggregate's parked events in their order, and whether it has any.
CREATE INDEX IF NOT EXISTS parked_event_aggregate
    ON tributary.parked_event (subscription, source, aggregate_type, aggregate_id, park_order);

COMMENT ON TABLE tributary.parked_event IS
    'Events set aside: one that its handler cannot apply, and every later one of the same aggregate, in their order.';
COMMENT ON COLUMN tributary.parked_event.headers IS
    'The record''s headers in their order, [name, text] each, or [name, null, base64] where the value is not UTF-8.';
COMMENT ON COLUMN tributary.parked_event.error IS
    'What went wrong; null for events that wait behind such a one.';
COMMENT ON COLUMN tributary.parked_event.attempts IS
    'How often its handler has been tried; 0 for events that wait.';

COMMENT ON COLUMN tributary.parked_event.mirrored_at IS
    'When the dead-letter topic was known to have it; null as long as it has not; -infinity if Kafka will never take it.';

-- Late arrivals are looked for by number.
CREATE INDEX IF NOT EXISTS parked_event_sequence
    ON tributary.parked_event (subscription, source, aggregate_type, aggregate_id, sequence);

CREATE TABLE IF NOT EXISTS tributary.parked_aggregate (
    subscription    text COLLATE "C" NOT NULL,
    source          text COLLATE "C" NOT NULL,
    aggregate_type  text COLLATE "C" NOT NULL,
    aggregate_id    text COLLATE "C" NOT NULL,
    topic           text COLLATE "C" NOT NULL,
    topic_partition integer     NOT NULL,
    last_sequence   bigint,
    missing         int8range   CHECK (NOT (isempty(missing) OR lower_inf(missing) OR upper_inf(missing))),
    parked_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subscription, source, aggregate_type, aggregate_id)
);

CREATE INDEX IF NOT EXISTS parked_aggregate_partition
    ON tributary.parked_aggregate (subscription, topic, topic_partition);

COMMENT ON TABLE tributary.parked_aggregate IS
    'The aggregates that have parked events. While a row is here, later events are parked too.';
COMMENT ON COLUMN tributary.parked_aggregate.last_sequence IS
    'The number of the last event that was applied; null if it has none or is not known.';
COMMENT ON COLUMN tributary.parked_aggregate.missing IS
    'The numbers that have to come first, as far as known; null if it is not that what is wrong.';

CREATE TABLE IF NOT EXISTS tributary.discarded_event (
    park_order      bigint      PRIMARY KEY,
    subscription    text COLLATE "C" NOT NULL,
    source          text COLLATE "C" NOT NULL,
    aggregate_type  text COLLATE "C" NOT NULL,
    aggregate_id    text COLLATE "C" NOT NULL,
    event_id        text        NOT NULL,
    type            text        NOT NULL,
    topic           text COLLATE "C" NOT NULL,
    topic_partition integer     NOT NULL,
    record_offset   bigint      NOT NULL,
    record_time     timestamptz NOT NULL,
    position        text COLLATE "C",
    sequence        bigint,
    record_key      bytea,
    record_value    bytea,
    headers         json        NOT NULL,
    error           text,
    stack           text,
    attempts        integer     NOT NULL,
    parked_at       timestamptz NOT NULL,
    mirrored_at     timestamptz,
    reason          text        NOT NULL,
    discarded_by    text        NOT NULL,
    discarded_at    timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE tributary.discarded_event IS
    'Parked events that somebody has decided to do without, as they came. Nothing reads or deletes them but people.';

CREATE INDEX IF NOT EXISTS discarded_event_sequence
    ON tributary.discarded_event (subscription, source, aggregate_type, aggregate_id, sequence);

CREATE INDEX IF NOT EXISTS parked_event_unmirrored
    ON tributary.parked_event (subscription, park_order) WHERE mirrored_at IS NULL;
CREATE INDEX IF NOT EXISTS discarded_event_unmirrored
    ON tributary.discarded_event (subscription, park_order) WHERE mirrored_at IS NULL;

CREATE TABLE IF NOT EXISTS tributary.accepted_gap (
    subscription    text COLLATE "C" NOT NULL,
    source          text COLLATE "C" NOT NULL,
    aggregate_type  text COLLATE "C" NOT NULL,
    aggregate_id    text COLLATE "C" NOT NULL,
    missing         int8range   NOT NULL,
    reason          text        NOT NULL,
    accepted_by     text        NOT NULL,
    accepted_at     timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE tributary.accepted_gap IS
    'Numbers of events that somebody has decided not to wait for any more. Nothing reads or deletes them but people.';

CREATE TABLE IF NOT EXISTS tributary.aggregate_sequence (
    subscription    text COLLATE "C" NOT NULL,
    topic           text COLLATE "C" NOT NULL,
    topic_partition integer     NOT NULL,
    row_number      bigint      NOT NULL,
    data            bytea       NOT NULL,
    PRIMARY KEY (subscription, topic, topic_partition, row_number)
);

COMMENT ON TABLE tributary.aggregate_sequence IS
    'A journal of the last sequence applied of each aggregate: 8 bytes of a hash of its name, then the number, 7 bits to a byte, the lowest first. A later entry overrides an earlier one.';

-- Hashes cannot be compressed, and trying costs time
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = 'tributary.aggregate_sequence'::regclass
               AND attname = 'data' AND attstorage <> 'e') THEN
        ALTER TABLE tributary.aggregate_sequence ALTER COLUMN data SET STORAGE EXTERNAL;
    END IF;
END $$;
