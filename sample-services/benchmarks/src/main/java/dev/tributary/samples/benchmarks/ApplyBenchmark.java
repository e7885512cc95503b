package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** From a filled topic into a view of five columns: the SDK, what people write by hand, and Debezium's sink, by turns. */
@Command(
        name = "apply",
        description = "Compares how quickly events get from a filled topic into a view.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class ApplyBenchmark implements Callable<Integer> {
    private static final int FULL_EVENTS = 1_000_000;
    private static final int FULL_ROUNDS = 3;
    private static final int ONE_PARTITION = 1;
    private static final double INBOX_SHARE_WITH_FSYNC = 0.025;

    @Option(names = "--rows", split = ",", description = "Whose rows the events change: ${COMPLETION-CANDIDATES}.")
    private Set<RowSet> rowSets = EnumSet.allOf(RowSet.class);

    @Option(names = "--events", description = "Measured events; slow ones get a share of them.")
    private int events = 400_000;

    /** A JVM needs some until its optimising compiler has come to rest. */
    @Option(names = "--warm-up", description = "Events before the measured ones, as part of the same topic.")
    private int warmUp = 300_000;

    @Option(names = "--rounds", description = "Rounds in which all take their turn; the figures are medians.")
    private int rounds = 1;

    @Option(names = "--full", description = "1,000,000 measured events in 3 rounds.")
    private boolean full;

    @Option(
            names = "--no-fsync",
            description = "PostgreSQL does not wait for the disk at each commit; those gain who commit often.")
    private boolean noFsync;

    @Option(names = "--only", split = ",", description = "Only these: ${COMPLETION-CANDIDATES}.")
    private Set<Applier> appliers = EnumSet.allOf(Applier.class);

    @Option(names = "--jvm-arg", description = "For every applier's JVM; may be repeated.")
    private List<String> jvmArguments = List.of("-Xmx1g");

    @Mixin
    private JsonReport json = new JsonReport();

    @Override
    public Integer call() throws Exception {
        if (full) {
            events = FULL_EVENTS;
            rounds = FULL_ROUNDS;
        }
        json.root().put("events", events).put("warmUp", warmUp).put("fsync", !noFsync);
        try (LocalPostgres postgres = LocalPostgres.startOwn(postgresSettings(!noFsync));
                LocalKafka kafka = LocalKafka.startOwn(Map.of())) {
            for (RowSet rowSet : rowSets) {
                ApplyComparison comparison = compare(new ApplyRace(postgres, kafka, jvmArguments), kafka, rowSet);
                System.out.println(comparison.table());
                json.add("comparisons", comparison.json());
            }
        }
        return ExitCode.OK;
    }

    static Map<String, String> postgresSettings(boolean fsync) {
        Map<String, String> settings = new HashMap<>(Machine.QUIET_POSTGRES);
        settings.put("fsync", fsync ? "on" : "off");
        return settings;
    }

    private ApplyComparison compare(ApplyRace race, LocalKafka kafka, RowSet rowSet) throws Exception {
        ApplyComparison comparison = new ApplyComparison(rowSet);
        Map<Double, CustomerTopic> topics = new HashMap<>();
        for (int round = 1; round <= rounds; round++) {
            for (Applier applier : appliers) {
                double share = share(applier);
                CustomerTopic topic = topics.get(share);
                if (topic == null) {
                    String source = rowSet.name().toLowerCase(Locale.ROOT) + "_" + topics.size();
                    int count = (int) (share * (warmUp + events));
                    System.err.printf("%s: filling a topic with %,d events%n", rowSet.title(), count);
                    topic = CustomerTopic.fill(kafka, rowSet.customers(count), source, ONE_PARTITION);
                    topics.put(share, topic);
                }
                ApplyMeasurement measurement = race.run(applier, topic, (int) (share * warmUp));
                System.err.printf(
                        "%s, round %d, %s: %,.0f events/s, load %.1f%n",
                        rowSet.title(), round, applier.title(), measurement.eventsPerSecond(), Machine.load());
                comparison.add(applier, measurement);
            }
        }
        return comparison;
    }

    /** Of the events; who waits for the disk after each gets fewer. */
    private double share(Applier applier) {
        return applier == Applier.INBOX && !noFsync ? INBOX_SHARE_WITH_FSYNC : applier.share();
    }
}
