package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The relay, Debezium and the limits of both sides over the same WAL, by turns. */
@Command(
        name = "relay",
        description =
                "Compares the relay's throughput with Debezium's, with a bare read of the WAL and with a bare producer.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class RelayBenchmark implements Callable<Integer> {
    private static final List<Integer> FULL_PER_TRANSACTION = List.of(1, 10, 1_000);
    private static final List<Integer> FULL_PAYLOADS = List.of(300, 100, 1_024, 10_240);
    /** For large payloads there are fewer events, so that the WAL stays in the page cache of an ordinary machine. */
    private static final long PAYLOAD_TOTAL_MAX = 500_000_000;

    @Option(names = "--per-transaction", split = ",", description = "Events per transaction.")
    private List<Integer> perTransaction = List.of(1, 10);

    @Option(names = "--payload", split = ",", description = "Payload sizes, bytes; at least 64.")
    private List<Integer> payloads = List.of(300);

    @Option(names = "--full", description = "All sizes: 1, 10, 1000 per transaction; 100, 300, 1024, 10240 bytes.")
    private boolean full;

    @Option(names = "--events", description = "Measured events; fewer for large payloads.")
    private int events = 400_000;

    /** A JVM needs this many until its optimising compiler has come to rest; with less, that is what is measured. */
    @Option(names = "--warm-up", description = "Events before the measured ones, as part of the same stream.")
    private int warmUp = 600_000;

    @Option(names = "--rest", description = "Events behind the measured ones, more than a contestant's buffers hold.")
    private int rest = 80_000;

    @Option(names = "--rounds", description = "Rounds in which all take their turn; the figures are medians.")
    private int rounds = 3;

    @Option(names = "--only", split = ",", description = "Only these: ${COMPLETION-CANDIDATES}.")
    private Set<Contestant> contestants = EnumSet.allOf(Contestant.class);

    @Option(names = "--jvm-arg", description = "For every contestant's JVM; may be repeated.")
    private List<String> jvmArguments = List.of("-Xmx1g");

    @Mixin
    private JsonReport json = new JsonReport();

    private int runs;

    @Override
    public Integer call() throws Exception {
        Path directory = Files.createTempDirectory("benchmarks-relay");
        try (LocalPostgres postgres = LocalPostgres.startOwn(Machine.QUIET_POSTGRES);
                LocalKafka kafka = LocalKafka.startOwn(Map.of("log.segment.delete.delay.ms", "0"))) {
            for (Workload workload : workloads()) {
                Comparison comparison = compare(postgres, kafka, workload, directory);
                System.out.println(comparison.table());
                json.add("comparisons", comparison.json());
            }
        } finally {
            Directories.delete(directory);
        }
        return ExitCode.OK;
    }

    private List<Workload> workloads() {
        List<Workload> workloads = new ArrayList<>();
        for (int payload : full ? FULL_PAYLOADS : payloads) {
            for (int each : full ? FULL_PER_TRANSACTION : perTransaction) {
                workloads.add(new Workload(payload, each, warmUp, events, rest).limitedTo(PAYLOAD_TOTAL_MAX));
            }
        }
        return workloads;
    }

    private Comparison compare(LocalPostgres postgres, LocalKafka kafka, Workload workload, Path directory)
            throws Exception {
        Comparison comparison = new Comparison(workload);
        try (FilledDatabase database = FilledDatabase.fill(postgres, workload);
                Race race = new Race(database, kafka, workload, directory, jvmArguments)) {
            // Nobody is to be the first to read this WAL
            race.run(Contestant.WALSENDER, "run_" + ++runs);
            for (int round = 1; round <= rounds; round++) {
                for (Contestant contestant : contestants) {
                    Measurement measurement = race.run(contestant, "run_" + ++runs);
                    System.err.printf(
                            "%s, round %d, %s: %,.0f events/s, load %.1f%n",
                            workload.title(), round, contestant.title(), measurement.eventsPerSecond(), Machine.load());
                    comparison.add(contestant, measurement);
                }
            }
        }
        return comparison;
    }
}
