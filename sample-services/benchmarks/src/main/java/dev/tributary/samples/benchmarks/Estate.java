package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Many services' databases, on one or a few servers, each ready to be relayed. Used by one thread. */
final class Estate implements AutoCloseable {
    private static final Duration CATCH_UP_MAX = Duration.ofMinutes(10);
    private static final int BACKLOG_PER_TRANSACTION = 100;

    private final List<LocalPostgres> servers;
    private final List<Service> services = new ArrayList<>();

    /** One service's database. */
    record Service(String source, LocalPostgres server, String url) {}

    /** Creates {@code count} databases, by turns on {@code servers}. */
    Estate(List<LocalPostgres> servers, int count) throws SQLException {
        this.servers = servers;
        for (int i = 0; i < count; i++) {
            LocalPostgres server = servers.get(i % servers.size());
            String source = "s" + count + "_" + i;
            services.add(new Service(source, server, server.createDatabaseNamed(source)));
            try (Connection connection = server.connect(server.url(source));
                    Statement statement = connection.createStatement()) {
                OutboxSchema.apply(connection);
                statement.execute("CREATE PUBLICATION tributary FOR TABLE tributary.outbox, tributary.event_store"
                        + " WITH (publish = 'insert', publish_via_partition_root = true)");
                statement.execute(
                        "SELECT pg_create_logical_replication_slot('" + Contestant.slot(source) + "', 'pgoutput')");
            }
        }
    }

    List<Service> services() {
        return services;
    }

    /** A relay's configuration for all of them. */
    String relayConfiguration(String bootstrapServers) {
        return """
                relay:
                  kafka:
                    bootstrap.servers: %s
                  http: { host: 127.0.0.1, port: 0 }
                  sources:
                """.formatted(bootstrapServers)
                + services.stream()
                        .map(service -> "    %s: { url: \"%s\", username: %s, password: %s }%n"
                                .formatted(service.source(), service.url(), LocalPostgres.USER, LocalPostgres.PASSWORD))
                        .collect(Collectors.joining());
    }

    /** Adds {@code each} events to every database, unless that is 0. */
    void addBacklog(int each, Workload workload) throws SQLException {
        for (Service service : services) {
            execute(service.server(), service.url(), """
                    SET synchronous_commit = off;
                    DO $$
                    BEGIN
                        FOR part IN 0 .. %d LOOP
                            INSERT INTO tributary.outbox
                            SELECT gen_random_uuid(), '%s', 'order-' || n %% %d, NULL, '%s', '%s', '%s', NULL, clock_timestamp()
                            FROM generate_series(part * %d, least((part + 1) * %d, %d) - 1) n;
                            COMMIT;
                        END LOOP;
                    END $$""".formatted(
                            (each - 1) / BACKLOG_PER_TRANSACTION,
                            Workload.AGGREGATE_TYPE,
                            Workload.AGGREGATES,
                            Workload.EVENT_TYPE,
                            Workload.CONTENT_TYPE,
                            new String(workload.payload(0), StandardCharsets.US_ASCII),
                            BACKLOG_PER_TRANSACTION,
                            BACKLOG_PER_TRANSACTION,
                            each));
        }
    }

    /** Waits until all that was committed before is confirmed to the servers. */
    void awaitConfirmed(Runnable stillGoing) throws SQLException, InterruptedException {
        long deadline = System.nanoTime() + CATCH_UP_MAX.toNanos();
        for (LocalPostgres server : servers) {
            String end = text(server, "SELECT pg_current_wal_insert_lsn()::text");
            while (!text(server, "SELECT count(*) FROM pg_replication_slots WHERE confirmed_flush_lsn < '" + end + "'")
                    .equals("0")) {
                stillGoing.run();
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException("the relay does not catch up");
                }
                Thread.sleep(50);
            }
        }
    }

    /** What the servers keep for the relay. */
    record Sessions(long connections, long walsenders, double cpuSeconds) {}

    /** Those of the relay; CPU time is that of its sessions so far. */
    Sessions sessions() throws SQLException {
        long connections = 0;
        long walsenders = 0;
        double cpu = 0;
        for (LocalPostgres server : servers) {
            try (Connection connection = server.connect(server.url("postgres"));
                    Statement statement = connection.createStatement();
                    ResultSet session = statement.executeQuery("SELECT pid, backend_type FROM pg_stat_activity"
                            + " WHERE application_name LIKE 'tributary-relay-%'")) {
                while (session.next()) {
                    connections++;
                    walsenders += session.getString(2).equals("walsender") ? 1 : 0;
                    cpu += CpuTime.of(session.getLong(1));
                }
            }
        }
        return new Sessions(connections, walsenders, cpu);
    }

    private static String text(LocalPostgres server, String query) throws SQLException {
        try (Connection connection = server.connect(server.url("postgres"));
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getString(1);
        }
    }

    private static void execute(LocalPostgres server, String url, String sql) throws SQLException {
        try (Connection connection = server.connect(url);
                Statement statement = connection.createStatement()) {
            for (String part : sql.split(";\n", 2)) {
                statement.execute(part);
            }
        }
    }

    @Override
    public void close() {
        services.forEach(service -> service.server().dropDatabase(service.url()));
    }
}
