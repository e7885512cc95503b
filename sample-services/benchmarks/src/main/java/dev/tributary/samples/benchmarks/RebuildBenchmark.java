package dev.tributary.samples.benchmarks;

import dev.tributary.consumer.ConsumerSchema;
import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A version of a view, built from history beside the live one until it takes over, against a plain subscription. */
@Command(
        name = "rebuild",
        description = "Compares how quickly a view is built aside with how quickly the same events are applied.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class RebuildBenchmark implements Callable<Integer> {
    private static final Duration TAKES_OVER_MAX = Duration.ofSeconds(30);
    private static final int FIRST = 1;
    private static final int SECOND = 2;

    @Option(names = "--rows", split = ",", description = "Whose rows the events change: ${COMPLETION-CANDIDATES}.")
    private Set<RowSet> rowSets = EnumSet.of(RowSet.REPEATED);

    @Option(names = "--events", description = "Measured events.")
    private int events = 1_000_000;

    @Option(names = "--warm-up", description = "Events before the measured ones, as part of the same topic.")
    private int warmUp = 200_000;

    @Option(names = "--partitions", description = "The topic's partitions.")
    private int partitions = 4;

    @Option(names = "--rounds", description = "Rounds in which both take their turn; the figures are medians.")
    private int rounds = 2;

    @Option(names = "--no-fsync", description = "PostgreSQL does not wait for the disk at each commit.")
    private boolean noFsync;

    @Option(names = "--jvm-arg", description = "For the appliers' JVMs; may be repeated.")
    private List<String> jvmArguments = List.of("-Xmx1g");

    @Mixin
    private JsonReport json = new JsonReport();

    @Override
    public Integer call() throws Exception {
        json.root()
                .put("events", events)
                .put("warmUp", warmUp)
                .put("partitions", partitions)
                .put("fsync", !noFsync);
        try (LocalPostgres postgres = LocalPostgres.startOwn(ApplyBenchmark.postgresSettings(!noFsync));
                LocalKafka kafka = LocalKafka.startOwn(Map.of())) {
            for (RowSet rowSet : rowSets) {
                RebuildComparison comparison = compare(postgres, kafka, rowSet);
                System.out.println(comparison.table());
                json.add("comparisons", comparison.json());
            }
        }
        return ExitCode.OK;
    }

    private RebuildComparison compare(LocalPostgres postgres, LocalKafka kafka, RowSet rowSet) throws Exception {
        RebuildComparison comparison = new RebuildComparison(rowSet);
        System.err.printf("%s: filling a topic with %,d events%n", rowSet.title(), warmUp + events);
        String source = rowSet.name().toLowerCase(Locale.ROOT);
        CustomerTopic topic = CustomerTopic.fill(kafka, rowSet.customers(warmUp + events), source, partitions);
        ApplyRace race = new ApplyRace(postgres, kafka, jvmArguments);
        for (int round = 1; round <= rounds; round++) {
            ApplyMeasurement apply = race.run(Applier.ROWS, topic, warmUp);
            say(rowSet, round, "apply", apply);
            ApplyMeasurement rebuild = rebuild(postgres, kafka, topic);
            say(rowSet, round, "rebuild", rebuild);
            comparison.add(apply, rebuild);
        }
        return comparison;
    }

    private static void say(RowSet rowSet, int round, String what, ApplyMeasurement measurement) {
        System.err.printf(
                "%s, round %d, %s: %,.0f events/s, load %.1f%n",
                rowSet.title(), round, what, measurement.eventsPerSecond(), Machine.load());
    }

    private ApplyMeasurement rebuild(LocalPostgres postgres, LocalKafka kafka, CustomerTopic topic)
            throws SQLException, InterruptedException {
        String url = postgres.createDatabase("rebuild");
        try {
            try (Connection connection = postgres.connect(url)) {
                ConsumerSchema.apply(connection);
            }
            build(postgres, kafka, topic, url, FIRST);
            try (Connection connection = postgres.connect(url);
                    Statement statement = connection.createStatement()) {
                statement.execute("CHECKPOINT");
            }
            return build(postgres, kafka, topic, url, SECOND);
        } finally {
            postgres.dropDatabase(url);
        }
    }

    /** Each in a process of its own, so that the second is not warm from the first. */
    private ApplyMeasurement build(
            LocalPostgres postgres, LocalKafka kafka, CustomerTopic topic, String url, int version)
            throws SQLException, InterruptedException {
        JavaProcess.Builder program = JavaProcess.main(RebuildMain.class)
                .args(
                        kafka.bootstrapServers(),
                        topic.name(),
                        url,
                        Integer.toString(partitions),
                        Integer.toString(version),
                        Integer.toString(warmUp),
                        Integer.toString(topic.events()))
                .jvmArgs(jvmArguments.toArray(String[]::new));
        String title = "version " + version;
        try (CountedProcess process = new CountedProcess(postgres, url, title, program)) {
            ApplyMeasurement measured = process.measure();
            awaitLive(postgres, url, version);
            topic.check(title, postgres, url, RebuildMain.VIEW + ".customer");
            return measured;
        }
    }

    private static void awaitLive(LocalPostgres postgres, String url, int version)
            throws SQLException, InterruptedException {
        long deadline = System.nanoTime() + TAKES_OVER_MAX.toNanos();
        try (Connection connection = postgres.connect(url);
                Statement statement = connection.createStatement()) {
            while (true) {
                try (ResultSet live = statement.executeQuery("SELECT version FROM tributary.view_version WHERE view = '"
                        + RebuildMain.VIEW + "' AND state = 'LIVE'")) {
                    if (live.next() && live.getInt(1) == version) {
                        return;
                    }
                }
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException("version " + version + " has not taken over");
                }
                Thread.sleep(50);
            }
        }
    }
}
