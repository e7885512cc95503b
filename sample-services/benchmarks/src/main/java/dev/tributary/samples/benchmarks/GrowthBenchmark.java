package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Whether anything costs more because there is much history, or because there are many aggregates. */
@Command(
        name = "growth",
        description =
                "Measures what writing, relaying, loading and operating cost in databases of more and more events,"
                        + " and of more and more aggregates.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class GrowthBenchmark implements Callable<Integer> {
    private static final Duration PROCESS_MAX = Duration.ofMinutes(5);
    private static final int EVENTS_PER_AGGREGATE = 100;
    private static final int FULL = 10_000_000;

    /** What the aggregates of the second table share. */
    private static final int SHARED_EVENTS = 1_000_000;

    private static final int WARM_UP = 300;

    @Option(
            names = "--events",
            split = ",",
            description = "Events in the event store, and in the outbox; 100 an aggregate.")
    private List<Integer> events = List.of(10_000, 100_000, 1_000_000);

    @Option(names = "--full", description = "Ten million events, too; takes 10 GB of disk.")
    private boolean full;

    @Option(names = "--aggregates", split = ",", description = "Aggregates that a million events are of.")
    private List<Integer> aggregates = List.of(1, 1_000, 1_000_000);

    @Option(names = "--writes", description = "Writes of each kind, one in a transaction.")
    private int writes = 2_000;

    @Option(names = "--relayed", description = "Events that the relay has to relay, ten in a transaction.")
    private int relayed = 50_000;

    @Option(names = "--applied", description = "Events that a subscription has to apply, once it is warm.")
    private int applied = 200_000;

    @Option(
            names = "--read-max",
            description =
                    "The reader's side is measured up to so many events: to have more applied takes longer than the"
                            + " rest, and as much disk once more.")
    private int readMax = 1_000_000;

    @Option(names = "--payload", description = "Payload size, bytes; at least 64.")
    private int payload = 300;

    @Mixin
    private JsonReport json = new JsonReport();

    private Path directory = Path.of(".");

    @Spec
    @SuppressWarnings("NullAway.Init") // by picocli
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        requireDivisible();
        directory = Files.createTempDirectory("benchmarks-growth");
        FigureTable byEvents = new FigureTable("events", "events", FigureTable.Growth.RATIO);
        FigureTable byAggregates = new FigureTable("aggregates", "aggregates of the events", FigureTable.Growth.RATIO);
        List<Integer> sizes = new ArrayList<>(events);
        if (full) {
            sizes.add(FULL);
        }
        try (LocalPostgres postgres = LocalPostgres.startOwn(Machine.QUIET_POSTGRES);
                LocalKafka kafka = LocalKafka.startOwn(Map.of("log.segment.delete.delay.ms", "0"))) {
            measure(postgres, kafka, "warm_up", 10_000, 100, new FigureTable("", "", FigureTable.Growth.RATIO));
            for (int size : sizes) {
                byEvents.begin(size);
                measure(postgres, kafka, "events_" + size, size, size / EVENTS_PER_AGGREGATE, byEvents);
                write("events", byEvents);
            }
            System.out.println(byEvents.markdown());
            for (int count : aggregates) {
                byAggregates.begin(count);
                measure(postgres, kafka, "aggregates_" + count, SHARED_EVENTS, count, byAggregates);
                write("aggregates", byAggregates);
            }
            System.out.println(byAggregates.markdown());
        } finally {
            Directories.delete(directory);
        }
        return ExitCode.OK;
    }

    /** All aggregates have equally many events. */
    private void requireDivisible() {
        for (int size : events) {
            if (size < EVENTS_PER_AGGREGATE || size % EVENTS_PER_AGGREGATE != 0) {
                throw new ParameterException(
                        spec.commandLine(),
                        "--events must be multiples of " + EVENTS_PER_AGGREGATE + ", as many as an aggregate has, not "
                                + size);
            }
        }
        for (int count : aggregates) {
            if (count < 1 || SHARED_EVENTS % count != 0) {
                throw new ParameterException(
                        spec.commandLine(), "--aggregates must be divisors of " + SHARED_EVENTS + ", not " + count);
            }
        }
    }

    private void write(String name, FigureTable figures) throws IOException {
        System.err.printf("%s: %s measured, load %.1f%n", name, figures.json().size(), Machine.load());
        json.root().set(name, figures.json());
        json.write(); // what is there stays if a later one fails
    }

    @SuppressWarnings("try") // the cores are held for the round trips inside
    private void measure(
            LocalPostgres postgres, LocalKafka kafka, String name, int size, int aggregateCount, FigureTable figures)
            throws Exception {
        Workload workload = new Workload(payload, 1, 0, 0, 0);
        try (GrownDatabase database = new GrownDatabase(postgres, name, size, aggregateCount, workload)) {
            try (AwakeCores awake = AwakeCores.keep();
                    SharedCore core = database.onClientsCore()) {
                loading(database, size / aggregateCount, figures);
                writing(database, figures);
                figures.put(
                        "retentionMillis",
                        "a turn of retention, ms",
                        "%,.1f",
                        micros(10, n -> database.turnRetention()) / 1e3);
            }
            operating(database, name, kafka, workload, figures);
        }
        if (size <= readMax) {
            try (GrownView view = new GrownView(postgres, kafka, name + "_view", size, aggregateCount, 3 * applied)) {
                reading(view, figures);
            }
        }
    }

    private void reading(GrownView view, FigureTable figures) throws Exception {
        GrownView.Cost cost = view.goOn(applied);
        ApplyMeasurement then = cost.then();
        figures.put(
                "viewStartSeconds",
                "a subscription's start until its first event is in the view, s",
                "%.2f",
                cost.startSeconds());
        figures.put(
                "applyCpuMicros",
                "applying, the subscription's CPU time for an event, µs",
                "%.2f",
                1e6 * then.processCpuSeconds() / then.events());
        figures.put(
                "applyServerCpuMicros",
                "applying, the view's database's CPU time for an event, µs",
                "%.2f",
                1e6 * then.backendCpuSeconds() / then.events());
    }

    private void writing(GrownDatabase database, FigureTable figures) throws Exception {
        figures.put(
                "publishUnsequencedMicros",
                "publish, without a number, µs",
                "%,.0f",
                micros(writes, database::publishUnsequenced));
        figures.put("publishMicros", "publish, µs", "%,.0f", micros(writes, database::publish));
        figures.put("appendMicros", "append to the event store, µs", "%,.0f", micros(writes, database::append));
    }

    private static void loading(GrownDatabase database, int eventsEach, FigureTable figures) throws Exception {
        figures.put(
                "loadShortMicros",
                "load 100 events, µs",
                "%,.0f",
                micros(300, n -> database.load(GrownDatabase.SHORT_ID, GrownDatabase.SHORT)));
        figures.put(
                "loadLongMicros",
                "load 10,000 events, µs",
                "%,.0f",
                micros(10, n -> database.load(GrownDatabase.LONG_ID, GrownDatabase.LONG)));
        figures.put(
                "loadSnapshotMicros",
                "load by a snapshot, 10 events of 10,000, µs",
                "%,.0f",
                micros(300, n -> database.load(GrownDatabase.SNAPSHOT_ID, GrownDatabase.LONG)));
        figures.put(
                "loadFirstSnapshotMicros",
                "load by a snapshot, one of the many, µs",
                "%,.0f",
                eventsEach <= GrownDatabase.BEHIND_SNAPSHOT
                        ? Double.NaN
                        : micros(300, n -> database.load(GrownDatabase.FIRST_ID, eventsEach)));
    }

    private interface Numbered {
        void run(int number) throws Exception;
    }

    /** The median time, once the statement is prepared on the server and the code is warm. */
    private static double micros(int times, Numbered work) throws Exception {
        for (int i = 0; i < Math.min(times, WARM_UP); i++) {
            work.run(i);
        }
        double[] took = new double[times];
        for (int i = 0; i < times; i++) {
            long start = System.nanoTime();
            work.run(WARM_UP + i);
            took[i] = (System.nanoTime() - start) / 1e3;
        }
        Arrays.sort(took);
        return took[times / 2];
    }

    private void operating(
            GrownDatabase database, String name, LocalKafka kafka, Workload workload, FigureTable figures)
            throws Exception {
        Path log = directory.resolve(name + ".log");
        long start = System.nanoTime();
        try (JavaProcess relay = Contestant.RELAY
                .process(name, database.url(), kafka.bootstrapServers(), workload, directory)
                .output(log)
                .start()) {
            while (!(Files.exists(log) && Files.readString(log).contains("is STREAMING"))) {
                requireInTime(relay, log, start);
                Thread.sleep(5);
            }
            figures.put("startSeconds", "the relay's start until it streams, s", "%.2f", seconds(start));
            relay(database, name, relay, log, figures);
            relay.terminate();
            relay.waitFor(Duration.ofSeconds(20));
        }
        figures.put("checkSeconds", "relay check, s", "%.2f", command(name, "check"));
        database.execute("SELECT pg_drop_replication_slot('" + Contestant.slot(name) + "')");
        figures.put(
                "recoverSeconds",
                "relay recover --dry-run of a lost slot, s",
                "%.2f",
                command(name, "recover", "--dry-run"));
    }

    private void relay(GrownDatabase database, String name, JavaProcess relay, Path log, FigureTable figures)
            throws Exception {
        double cpu = CpuTime.of(relay.pid());
        long start = System.nanoTime();
        database.addBacklog(relayed);
        String end = database.text("SELECT pg_current_wal_insert_lsn()::text");
        while (!database.isConfirmed(Contestant.slot(name), end)) {
            requireInTime(relay, log, start);
            Thread.sleep(5);
        }
        figures.put(
                "relayCpuMicros",
                "relaying, the relay's CPU time for an event, µs",
                "%.1f",
                1e6 * (CpuTime.of(relay.pid()) - cpu) / relayed);
    }

    private static void requireInTime(JavaProcess process, Path log, long startNanos) throws IOException {
        if (!process.isAlive() || System.nanoTime() - startNanos > PROCESS_MAX.toNanos()) {
            throw new IllegalStateException("the relay " + (process.isAlive() ? "hangs" : "ended") + ": "
                    + (Files.exists(log) ? Files.readString(log) : ""));
        }
    }

    private double command(String name, String... command) throws Exception {
        Path log = directory.resolve(name + "-" + command[0] + ".log");
        long start = System.nanoTime();
        try (JavaProcess process = JavaProcess.main("dev.tributary.relay.cli.RelayCommand")
                .args(command)
                .args("--config", directory.resolve(name + ".yaml").toString())
                .output(log)
                .start()) {
            if (!process.waitFor(PROCESS_MAX) || process.exitCode() != 0) {
                throw new IllegalStateException(String.join(" ", command) + ": " + Files.readString(log));
            }
            return seconds(start);
        }
    }

    private static double seconds(long startNanos) {
        return (System.nanoTime() - startNanos) / 1e9;
    }
}
