package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/** Whether the outbox keeps its size, and writers their speed, while many times its size goes through it. */
@Command(
        name = "churn",
        description =
                "Writes events through an outbox whose partitions cover seconds, with a relay that relays and drops them:"
                        + " what table and WAL come to, and what writing costs at the beginning and at the end.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class ChurnBenchmark implements Callable<Integer> {
    private static final String SOURCE = "churn";
    private static final int PARTS = 10;
    private static final Duration CATCH_UP_MAX = Duration.ofMinutes(5);
    private static final double MIB = 1 << 20;

    @Option(names = "--events", description = "Measured events.")
    private int events = 10_000_000;

    @Option(names = "--warm-up", description = "Events before the measured ones.")
    private int warmUp = 500_000;

    @Option(names = "--rate", description = "Events a second that are written: fewer than the relay can take.")
    private int rate = 20_000;

    @Option(names = "--clients", description = "Writing clients.")
    private int clients = 4;

    @Option(names = "--per-transaction", description = "Events in each transaction, in one call.")
    private int perTransaction = 10;

    @Option(names = "--payload", description = "Payload size, bytes; at least 64.")
    private int payload = 300;

    @Option(names = "--window", description = "Recovery window.")
    private Duration window = Duration.ofSeconds(10);

    @Option(names = "--span", description = "Time that a partition covers.")
    private Duration span = Duration.ofSeconds(2);

    private long tableMax;
    private long walMax;

    @Override
    public Integer call() throws Exception {
        Path directory = Files.createTempDirectory("benchmarks-churn");
        try (LocalPostgres postgres =
                        LocalPostgres.startOwn(Map.of("shared_buffers", "256MB", "max_wal_size", "512MB"));
                LocalKafka kafka = LocalKafka.startOwn(Map.of(
                        "log.segment.bytes", "67108864",
                        "log.retention.bytes", "134217728",
                        "log.retention.check.interval.ms", "5000",
                        "log.segment.delete.delay.ms", "0"))) {
            String url = postgres.createDatabase(SOURCE);
            try (Connection connection = postgres.connect(url);
                    Statement statement = connection.createStatement()) {
                OutboxSchema.apply(connection);
                statement.execute("CREATE PUBLICATION tributary FOR TABLE tributary.outbox, tributary.event_store"
                        + " WITH (publish = 'insert', publish_via_partition_root = true)");
                statement.execute(
                        "SELECT pg_create_logical_replication_slot('" + Contestant.slot(SOURCE) + "', 'pgoutput')");
                Workload workload = new Workload(payload, perTransaction, warmUp, events, 0);
                try (JavaProcess relay = Contestant.RELAY
                        .process(SOURCE, url, kafka.bootstrapServers(), workload, directory)
                        .env("RELAY_SOURCES_CHURN_RETENTION_WINDOW", window.toString())
                        .env("RELAY_SOURCES_CHURN_RETENTION_SPAN", span.toString())
                        .env("RELAY_SOURCES_CHURN_RETENTION_AHEAD", "5")
                        .output(directory.resolve("churn.log"))
                        .start()) {
                    awaitPartitions(statement);
                    measure(postgres, url, workload, statement);
                    relay.kill();
                }
            }
        } finally {
            Directories.delete(directory);
        }
        return ExitCode.OK;
    }

    private static void awaitPartitions(Statement statement) throws Exception {
        while (number(statement, "SELECT count(*) FROM tributary.outbox_partition WHERE upper_bound IS NOT NULL") < 5) {
            Thread.sleep(50);
        }
    }

    private void measure(LocalPostgres postgres, String url, Workload workload, Statement statement) throws Exception {
        System.out.printf(
                "### %,d events of %d B, %d in a transaction, %d clients, %,d a second; window %s, span %s%n%n",
                events, payload, perTransaction, clients, rate, window, span);
        System.out.println(
                "| events | could be written, events/s | longest transaction, ms | table, MiB | partitions | WAL on disk, MiB"
                        + " | WAL not confirmed, MiB |\n|--:|--:|--:|--:|--:|--:|--:|");
        double first = 0;
        double last = 0;
        try (ChurnWriters writers = new ChurnWriters(postgres, url, clients, perTransaction, rate, workload)) {
            writers.await(warmUp);
            for (int part = 1; part <= PARTS; part++) {
                ChurnWriters.Look look = writers.await(warmUp + (long) events * part / PARTS);
                print((long) events * part / PARTS, look, statement);
                first = part == 1 ? look.perSecond() : first;
                last = look.perSecond();
            }
        }
        long behind = System.nanoTime();
        long lsn = number(statement, "SELECT pg_current_wal_lsn() - '0/0'");
        while (number(
                        statement,
                        "SELECT confirmed_flush_lsn - '0/0' FROM pg_replication_slots WHERE slot_name = '"
                                + Contestant.slot(SOURCE) + "'")
                < lsn) {
            if (System.nanoTime() - behind > CATCH_UP_MAX.toNanos()) {
                throw new IllegalStateException("the relay does not catch up");
            }
            Thread.sleep(20);
        }
        System.out.printf(
                Locale.ROOT,
                "%nWrite rate at the end: %.3f of that at the beginning. Table at most %.0f MiB, WAL %.0f MiB; written %.0f MiB of"
                        + " payload. The relay had caught up %.1f s after the last event.%n",
                last / first,
                tableMax / MIB,
                walMax / MIB,
                (double) payload * events / MIB,
                (System.nanoTime() - behind) / 1e9);
    }

    private void print(long written, ChurnWriters.Look look, Statement statement) throws SQLException {
        long table = number(
                statement,
                "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('tributary.outbox') WHERE isleaf");
        long partitions =
                number(statement, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'tributary.outbox'::regclass");
        long wal = number(statement, "SELECT sum(size) FROM pg_ls_waldir()");
        long kept = number(
                statement,
                "SELECT pg_current_wal_lsn() - confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '"
                        + Contestant.slot(SOURCE) + "'");
        tableMax = Math.max(tableMax, table);
        walMax = Math.max(walMax, wal);
        System.out.printf(
                Locale.ROOT,
                "| %,d | %,.0f | %d | %.0f | %d | %.0f | %.1f |%n",
                written,
                look.perSecond(),
                look.longestMillis(),
                table / MIB,
                partitions,
                wal / MIB,
                kept / MIB);
    }

    private static long number(Statement statement, String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getLong(1);
        }
    }
}
