package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * A database whose outbox was filled after a slot had been created. Every contestant gets a copy of that slot, so that
 * all read the same WAL from the same place, and all of it is there before they start. Used by one thread.
 */
final class FilledDatabase implements AutoCloseable {
    static final String PUBLICATION = "tributary";
    /** The columns that Debezium's own outbox layout has, so that it is not sent what it would have to throw away. */
    static final String DEBEZIUM_COLUMNS = "id,aggregate_type,aggregate_id,type,payload";

    static final String DEBEZIUM_PUBLICATION = "debezium";
    private static final String FIRST_SLOT = "benchmark_start";
    private static final String PREPARE = """
            CREATE PUBLICATION %s FOR TABLE tributary.outbox, tributary.event_store
                WITH (publish = 'insert', publish_via_partition_root = true);
            CREATE PUBLICATION %s FOR TABLE tributary.outbox (%s)
                WITH (publish = 'insert', publish_via_partition_root = true);
            CREATE TABLE benchmark_payload (number int, payload bytea);
            CREATE PROCEDURE benchmark_fill(events int, per_transaction int) LANGUAGE plpgsql AS $$
            DECLARE
                payloads bytea[] := (SELECT array_agg(payload ORDER BY number) FROM benchmark_payload);
                payload_count int := cardinality(payloads);
                first int := 0;
            BEGIN
                WHILE first < events LOOP
                    INSERT INTO tributary.outbox
                    SELECT gen_random_uuid(), '%s', 'order-' || n %% %d, n + 1, '%s', '%s',
                           payloads[1 + n %% payload_count], NULL, clock_timestamp()
                    FROM generate_series(first, least(first + per_transaction, events) - 1) AS n;
                    COMMIT;
                    first := first + per_transaction;
                END LOOP;
            END
            $$;
            """;

    private final LocalPostgres postgres;
    private final String url;
    private final Connection connection;

    private FilledDatabase(LocalPostgres postgres, String url) {
        this.postgres = postgres;
        this.url = url;
        this.connection = postgres.connect(url);
    }

    static FilledDatabase fill(LocalPostgres postgres, Workload workload) throws SQLException {
        FilledDatabase database = new FilledDatabase(postgres, postgres.createDatabase("benchmark"));
        database.prepare(workload);
        database.execute("SELECT pg_create_logical_replication_slot('" + FIRST_SLOT + "', 'pgoutput')");
        database.execute("SET synchronous_commit = off"); // nothing is measured yet
        database.execute("CALL benchmark_fill(" + workload.events() + ", " + workload.eventsPerTransaction() + ")");
        database.execute("CHECKPOINT"); // not while somebody is being measured
        return database;
    }

    private void prepare(Workload workload) throws SQLException {
        OutboxSchema.apply(connection);
        execute(PREPARE.formatted(
                PUBLICATION,
                DEBEZIUM_PUBLICATION,
                DEBEZIUM_COLUMNS,
                Workload.AGGREGATE_TYPE,
                Workload.AGGREGATES,
                Workload.EVENT_TYPE,
                Workload.CONTENT_TYPE));
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO benchmark_payload VALUES (?, ?)")) {
            for (int number = 0; number < Workload.PAYLOADS; number++) {
                insert.setInt(1, number);
                insert.setBytes(2, workload.payload(number));
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    String url() {
        return url;
    }

    void createSlot(String name) throws SQLException {
        execute("SELECT pg_copy_logical_replication_slot('" + FIRST_SLOT + "', '" + name + "')");
    }

    void dropSlot(String name) throws SQLException {
        execute(
                "SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots WHERE active AND slot_name = '"
                        + name + "'");
        execute("SELECT pg_drop_replication_slot('" + name + "')");
    }

    /** Process id of the walsender that serves a slot. */
    long walsenderPid(String slot) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(
                        "SELECT active_pid FROM pg_replication_slots WHERE active_pid IS NOT NULL AND slot_name = '"
                                + slot + "'")) {
            if (!rows.next()) {
                throw new IllegalStateException("nobody reads slot " + slot);
            }
            return rows.getLong(1);
        }
    }

    /** Whether somebody reads the slot. */
    boolean isRead(String slot) {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(
                        "SELECT 1 FROM pg_replication_slots WHERE active AND slot_name = '" + slot + "'")) {
            return rows.next();
        } catch (SQLException e) {
            throw new IllegalStateException("slot " + slot + " cannot be looked at", e);
        }
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
        postgres.dropDatabase(url);
    }
}
