-- How fresh a view was, minute by minute, for its freshness objective. Every statement may run any number of times.

DO $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('tributary schema'));
    CREATE SCHEMA IF NOT EXISTS tributary;
EXCEPTION
    WHEN duplicate_schema OR unique_violation THEN NULL;
END $$;

CREATE TABLE IF NOT EXISTS tributary.view_freshness (
    subscription text COLLATE "C" NOT NULL,
    source       text COLLATE "C" NOT NULL,
    minute       timestamptz NOT NULL,
    good_seconds bigint      NOT NULL,
    PRIMARY KEY (subscription, source, minute)
);

COMMENT ON TABLE tributary.view_freshness IS
    'For each minute, the seconds in which a view is known to have been as fresh as its objective asks.';
COMMENT ON COLUMN tributary.view_freshness.good_seconds IS
    'One bit for each second of the minute. Instances add what they know: a second is good once one of them has shown it.';
