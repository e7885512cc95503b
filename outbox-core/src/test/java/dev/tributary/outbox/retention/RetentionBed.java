package dev.tributary.outbox.retention;

import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A database with an outbox and a slot, and instances of retention. Time is made: the server's is the row of {@code
 * test_clock}, the monotonic one a number.
 */
final class RetentionBed implements AutoCloseable {
    private static final String CLOCK = "(SELECT t FROM public.test_clock)";

    private final LocalPostgres postgres;
    private final String url;
    private final String slot = "tributary_s" + Long.toHexString(System.nanoTime());
    private final AtomicLong nanos = new AtomicLong();
    private final List<OutboxRetention> started = new ArrayList<>();
    private final Connection connection;

    private RetentionBed(LocalPostgres postgres) throws SQLException {
        this.postgres = postgres;
        this.url = postgres.createDatabase("hardship");
        this.connection = connect();
        OutboxSchema.apply(connection);
        execute("CREATE TABLE test_clock (t timestamptz); INSERT INTO test_clock VALUES ('2026-01-01 00:30Z')");
        execute("CREATE PUBLICATION tributary FOR TABLE tributary.outbox WITH (publish = 'insert',"
                + " publish_via_partition_root = true)");
        execute("SELECT pg_create_logical_replication_slot('" + slot + "', 'pgoutput')");
    }

    static RetentionBed create() throws SQLException {
        return new RetentionBed(LocalPostgres.shared());
    }

    static RetentionBed on(LocalPostgres postgres) throws SQLException {
        return new RetentionBed(postgres);
    }

    String url() {
        return url;
    }

    String slot() {
        return slot;
    }

    OutboxRetention start(RetentionSettings settings) {
        return start(settings, this::connect);
    }

    OutboxRetention start(RetentionSettings settings, OutboxRetention.Connections connections) {
        OutboxRetention made = new OutboxRetention(connections, settings, CLOCK, nanos::get);
        started.add(made);
        return made;
    }

    void write() throws SQLException {
        execute("INSERT INTO tributary.outbox SELECT gen_random_uuid(), 'order', 'o', NULL, 'a.v1', 'a/b', 'x', NULL, t"
                + " FROM test_clock");
    }

    void hours(int count) throws SQLException {
        nanos.addAndGet(TimeUnit.HOURS.toNanos(count));
        execute("UPDATE test_clock SET t = t + interval '" + count + " hours'");
    }

    /** As the relay does, of everything. */
    void confirm() throws SQLException {
        execute("SELECT pg_replication_slot_advance('" + slot + "', pg_current_wal_lsn())");
    }

    /** As if what is sealed had been watched for long. */
    void watched() throws SQLException {
        execute("UPDATE tributary.outbox_partition SET watched = '1 day' WHERE watched IS NOT NULL");
    }

    int rows() throws SQLException {
        return Integer.parseInt(text("SELECT count(*) FROM tributary.outbox"));
    }

    /** Whether another session waits for a lock, in a statement with these words. */
    boolean waiting(String words) throws SQLException {
        return text("SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database()"
                        + " AND wait_event_type = 'Lock' AND query LIKE '%" + words + "%'")
                .equals("t");
    }

    void awaitNoOthers() {
        await().atMost(Duration.ofSeconds(60))
                .until(() -> text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                                + " AND backend_type = 'client backend' AND pid <> pg_backend_pid()")
                        .equals("0"));
    }

    Connection connect() throws SQLException {
        return DriverManager.getConnection(url, LocalPostgres.USER, LocalPostgres.PASSWORD);
    }

    void execute(String sql) throws SQLException {
        execute(connection, sql);
    }

    static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    String text(String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return String.valueOf(row.getString(1));
        }
    }

    @Override
    public void close() throws SQLException {
        for (OutboxRetention each : started) {
            each.close();
        }
        execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                + " WHERE database = current_database()");
        connection.close();
        postgres.dropDatabase(url);
    }
}
