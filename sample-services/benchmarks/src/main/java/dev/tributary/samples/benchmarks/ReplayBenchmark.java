package dev.tributary.samples.benchmarks;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A replay, and the limits of both sides: the bare COPY and the bare producer, by turns. */
@Command(
        name = "replay",
        description =
                "Compares how quickly a history gets from the event store to a topic with what either side could do.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class ReplayBenchmark implements Callable<Integer> {
    static final String SOURCE = "history";
    /** Aggregate types, of one table: what is replayed before, and what is measured. */
    static final String WARM_UP = "warmup";

    static final String MEASURED = Workload.AGGREGATE_TYPE;
    private static final Duration RUN_MAX = Duration.ofMinutes(30);

    @Option(names = "--payload", description = "Payload size, bytes; at least 64.")
    private int payload = 300;

    @Option(names = "--events", description = "Measured events.")
    private int events = 1_000_000;

    /** A JVM needs some until its optimising compiler has come to rest. */
    @Option(names = "--warm-up", description = "Events before the measured ones, in the same process.")
    private int warmUp = 500_000;

    @Option(names = "--rounds", description = "Rounds in which all take their turn; the figures are medians.")
    private int rounds = 3;

    @Option(names = "--only", split = ",", description = "Only these: ${COMPLETION-CANDIDATES}.")
    private Set<ReplayContestant> contestants = EnumSet.allOf(ReplayContestant.class);

    @Option(names = "--jvm-arg", description = "For every contestant's JVM; may be repeated.")
    private List<String> jvmArguments = List.of("-Xmx1g");

    @Mixin
    private JsonReport json = new JsonReport();

    private final Map<ReplayContestant, List<Measurement>> measured = new EnumMap<>(ReplayContestant.class);
    private int runs;

    @Override
    public Integer call() throws Exception {
        Path directory = Files.createTempDirectory("benchmarks-replay");
        try (LocalPostgres postgres = LocalPostgres.startOwn(Machine.QUIET_POSTGRES);
                LocalKafka kafka = LocalKafka.startOwn(Map.of("log.segment.delete.delay.ms", "0"))) {
            String url = postgres.createDatabase(SOURCE);
            fill(postgres, url);
            try (JavaProcess relay = Contestant.RELAY
                    .process(SOURCE, url, kafka.bootstrapServers(), workload(), directory)
                    .jvmArgs("-Xmx256m", "-D" + Benchmarks.LOGGING_PROPERTY + "=" + Benchmarks.QUIET_LOGGING)
                    .start()) {
                for (int round = 1; round <= rounds; round++) {
                    for (ReplayContestant contestant : contestants) {
                        Measurement measurement = run(contestant, url, kafka);
                        measured.computeIfAbsent(contestant, c -> new ArrayList<>())
                                .add(measurement);
                        System.err.printf(
                                "round %d, %s: %,.0f events/s, load %.1f%n",
                                round, contestant.title(), measurement.eventsPerSecond(), Machine.load());
                    }
                }
                relay.kill();
            }
        } finally {
            Directories.delete(directory);
        }
        System.out.println(table());
        report();
        return ExitCode.OK;
    }

    private Workload workload() {
        return new Workload(payload, 1, warmUp, events, 0);
    }

    /** In the order of time, which is not that of aggregates: as a service leaves it behind. */
    private void fill(LocalPostgres postgres, String url) throws SQLException {
        try (Connection connection = postgres.connect(url);
                Statement statement = connection.createStatement()) {
            OutboxSchema.apply(connection);
            statement.execute("CREATE PUBLICATION tributary FOR TABLE tributary.outbox, tributary.event_store"
                    + " WITH (publish = 'insert', publish_via_partition_root = true)");
            statement.execute("CREATE TABLE benchmark_payload (number int PRIMARY KEY, payload bytea)");
            try (PreparedStatement insert =
                    connection.prepareStatement("INSERT INTO benchmark_payload VALUES (?, ?)")) {
                for (int number = 0; number < Workload.PAYLOADS; number++) {
                    insert.setInt(1, number);
                    insert.setBytes(2, workload().payload(number));
                    insert.addBatch();
                }
                insert.executeBatch();
            }
            statement.execute("SET synchronous_commit = off"); // nothing is measured yet
            fill(statement, WARM_UP, warmUp);
            fill(statement, MEASURED, events);
            statement.execute("VACUUM ANALYZE tributary.event_store");
            statement.execute("CHECKPOINT"); // not while somebody is being measured
            statement.execute(
                    "SELECT pg_create_logical_replication_slot('" + Contestant.slot(SOURCE) + "', 'pgoutput')");
        }
    }

    private static void fill(Statement statement, String aggregateType, int count) throws SQLException {
        statement.execute("INSERT INTO tributary.event_store SELECT gen_random_uuid(), '" + aggregateType
                + "', 'order-' || n % " + Workload.AGGREGATES + ", n / " + Workload.AGGREGATES + " + 1, '"
                + Workload.EVENT_TYPE + "', '" + Workload.CONTENT_TYPE + "', p.payload, NULL, clock_timestamp()"
                + " FROM generate_series(0, " + (count - 1) + ") n JOIN benchmark_payload p ON p.number = n % "
                + Workload.PAYLOADS + " ORDER BY n");
    }

    private Measurement run(ReplayContestant contestant, String url, LocalKafka kafka)
            throws ExecutionException, InterruptedException, IOException {
        String run = "run" + ++runs;
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            String produced = Contestant.topic(run);
            admin.createTopics(List.of(new NewTopic(produced, 6, (short) 1)))
                    .all()
                    .get();
            Path output = Files.createTempFile("benchmarks-replay", ".out");
            try (JavaProcess process = JavaProcess.main(ReplayMain.class)
                    .jvmArgs(jvmArguments.toArray(String[]::new))
                    .jvmArgs("-D" + Benchmarks.LOGGING_PROPERTY + "=" + Benchmarks.QUIET_LOGGING)
                    .args(contestant.name(), run, url, kafka.bootstrapServers())
                    .args(Integer.toString(payload), Integer.toString(warmUp), Integer.toString(events))
                    .output(output)
                    .start()) {
                if (!process.waitFor(RUN_MAX) || process.exitCode() != 0) {
                    throw new IllegalStateException(contestant.title() + " failed: " + Files.readString(output));
                }
                return measurement(Files.readAllLines(output));
            } finally {
                Files.delete(output);
                Set<String> existing = admin.listTopics().names().get();
                admin.deleteTopics(existing.stream()
                                .filter(topic -> topic.startsWith(run + ".") || topic.startsWith(run + "-"))
                                .toList())
                        .all()
                        .get();
            }
        }
    }

    private static Measurement measurement(List<String> output) {
        for (String line : output) {
            String[] words = line.split(" ", -1);
            if (words[0].equals(ReplayMain.RESULT)) {
                return new Measurement(
                        Long.parseLong(words[1]),
                        Long.parseLong(words[2]) / 1e9,
                        Long.parseLong(words[3]) / 1e9,
                        Double.parseDouble(words[4]));
            }
        }
        throw new IllegalStateException("no result in " + output);
    }

    /** A table in Markdown. */
    private String table() {
        StringBuilder table =
                new StringBuilder("### " + String.format(Locale.ROOT, "%,d", events) + " events of " + payload
                        + " B\n\n| | events/s | payload MB/s | events per CPU-s, process | events per CPU-s, PostgreSQL's backend |"
                        + " of the smaller limit |\n|---|--:|--:|--:|--:|--:|\n");
        double limit = Math.min(rate(ReplayContestant.COPY), rate(ReplayContestant.PRODUCER));
        measured.forEach((contestant, all) -> {
            table.append("| ").append(contestant.title());
            Figures.cell(table, "%,.0f", rate(contestant));
            Figures.cell(table, "%,.1f", rate(contestant) * payload / 1e6);
            Figures.cell(table, "%,.0f", Measurement.median(all, Measurement::eventsPerProcessCpuSecond));
            Figures.cell(table, "%,.0f", Measurement.median(all, Measurement::eventsPerWalsenderCpuSecond));
            Figures.cell(table, "%.2f", rate(contestant) / limit);
            table.append(" |\n");
        });
        return table.toString();
    }

    /** NaN for one that did not take part. */
    private double rate(ReplayContestant contestant) {
        List<Measurement> all = measured.get(contestant);
        return all == null ? Double.NaN : Measurement.median(all, Measurement::eventsPerSecond);
    }

    private void report() throws IOException {
        json.root().put("events", events).put("warmUp", warmUp).put("payloadBytes", payload);
        ObjectNode all = json.root().putObject("contestants");
        measured.forEach((contestant, each) -> {
            ObjectNode node = all.putObject(contestant.key());
            node.put("eventsPerSecond", Math.round(rate(contestant)));
            each.forEach(node.withArray("rounds")::addPOJO);
        });
        json.write();
    }
}
