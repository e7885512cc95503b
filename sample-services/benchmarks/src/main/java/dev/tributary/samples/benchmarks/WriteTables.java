package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;

/** The tables of all contenders, in one database. Each aggregate has one event before anybody writes. */
final class WriteTables {
    static final int AGGREGATES = 10_007;

    /** The statistics that tell of deleted rows are late. */
    private static final long COUNT_MAX_NANOS = Duration.ofSeconds(10).toNanos();

    /** By hand: no index, so that nobody can be cheaper. The others' as their documentation has them. */
    private static final List<String> CREATE = List.of(
            "CREATE TABLE purchase (id bigserial PRIMARY KEY, order_id text NOT NULL, customer text NOT NULL,"
                    + " total_cents bigint NOT NULL)",
            "CREATE TABLE hand_outbox (id uuid NOT NULL, aggregate_type text NOT NULL, aggregate_id text NOT NULL,"
                    + " sequence bigint NOT NULL, type text NOT NULL, payload bytea NOT NULL,"
                    + " created_at timestamptz NOT NULL)",
            "CREATE TABLE hand_counter (aggregate_id text PRIMARY KEY, last bigint NOT NULL) WITH (fillfactor = 70)",
            "CREATE TABLE debezium_outbox (id uuid NOT NULL PRIMARY KEY, aggregatetype varchar(255) NOT NULL,"
                    + " aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb)",
            "CREATE SCHEMA eventuate",
            "CREATE TABLE eventuate.message (id varchar(1000) PRIMARY KEY, destination text NOT NULL, headers text NOT NULL,"
                    + " payload text NOT NULL, published smallint DEFAULT 0, message_partition smallint,"
                    + " creation_time bigint)",
            "CREATE INDEX message_published_idx ON eventuate.message (published, id)");

    private static final String EACH_AGGREGATE = " FROM generate_series(0, " + (AGGREGATES - 1) + ") i";

    private static final List<String> FILL = List.of(
            "INSERT INTO hand_counter SELECT 'order-' || i, 1" + EACH_AGGREGATE,
            "INSERT INTO tributary.aggregate (aggregate_type, aggregate_id, sequence) SELECT 'order', 'order-' || i, 1"
                    + EACH_AGGREGATE,
            "INSERT INTO tributary.event_store SELECT tributary.uuid_v7(), 'order', 'order-' || i, 1, 'order.placed.v1',"
                    + " 'application/json', '" + OrderEvent.FIRST + "', NULL, now()" + EACH_AGGREGATE);

    /** Rows of events that have numbers but not all of them, or of aggregates that do not know their events. */
    private static final List<String> GAPS = List.of(
            "SELECT count(*) FROM (SELECT FROM tributary.outbox WHERE sequence IS NOT NULL GROUP BY aggregate_id"
                    + " HAVING max(sequence) <> count(*) + 1) AS gaps",
            "SELECT count(*) FROM (SELECT FROM tributary.event_store GROUP BY aggregate_id"
                    + " HAVING max(sequence) <> count(*)) AS gaps",
            "SELECT (SELECT sum(sequence - 1) FROM tributary.aggregate)"
                    + " - (SELECT count(*) FROM tributary.outbox WHERE sequence IS NOT NULL)"
                    + " - (SELECT count(*) FROM tributary.event_store WHERE sequence > 1)");

    private final LocalPostgres postgres;
    private final String url;

    private WriteTables(LocalPostgres postgres, String url) {
        this.postgres = postgres;
        this.url = url;
    }

    /** In a fresh database. Some contenders add their own tables themselves. */
    static WriteTables create(LocalPostgres postgres) throws SQLException {
        String url = postgres.createDatabase("write");
        try (Connection connection = postgres.connect(url);
                Statement statement = connection.createStatement()) {
            OutboxSchema.apply(connection);
            for (String sql : CREATE) {
                statement.execute(sql);
            }
        }
        return new WriteTables(postgres, url);
    }

    String url() {
        return url;
    }

    /** Empties all of them, so that nobody's grow with the rounds, but for each aggregate's first event. */
    void reset() throws SQLException {
        try (Connection connection = postgres.connect(url);
                Statement statement = connection.createStatement()) {
            statement.execute("DO $$ DECLARE tables text; BEGIN"
                    + " SELECT string_agg(oid::regclass::text, ', ') INTO tables FROM pg_class WHERE relkind = 'r'"
                    + " AND relnamespace IN (SELECT oid FROM pg_namespace"
                    + " WHERE nspname IN ('public', 'tributary', 'eventuate')) AND relname !~ 'version|instance|partition';"
                    + " EXECUTE 'TRUNCATE ' || tables; END $$");
            for (String sql : FILL) {
                statement.execute(sql);
            }
            statement.execute("SELECT pg_stat_reset()");
            statement.execute("VACUUM ANALYZE");
            statement.execute("CHECKPOINT");
        }
    }

    /** @throws IllegalStateException if there is not what so many transactions should have left */
    void check(WriteContender contender, long transactions, long events) throws SQLException, InterruptedException {
        try (Connection connection = postgres.connect(url);
                Statement statement = connection.createStatement()) {
            require(contender, "business rows", transactions, number(statement, "SELECT count(*) FROM purchase"));
            if (contender.writesEvents()) {
                long deadline = System.nanoTime() + COUNT_MAX_NANOS;
                long found = number(statement, contender.countEvents());
                while (found != events && System.nanoTime() < deadline) {
                    Thread.sleep(50);
                    found = number(statement, contender.countEvents());
                }
                require(contender, "events", events, found);
            }
            for (String gaps : GAPS) {
                require(contender, "gaps", 0, number(statement, gaps));
            }
        }
    }

    private static void require(WriteContender contender, String what, long expected, long found) {
        if (found != expected) {
            throw new IllegalStateException(
                    contender.title() + " has left " + found + " " + what + " and not " + expected);
        }
    }

    private static long number(Statement statement, String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getLong(1);
        }
    }
}
