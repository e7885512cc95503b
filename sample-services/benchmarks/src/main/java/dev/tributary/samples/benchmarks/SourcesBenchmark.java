package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What a source costs in one relay process. */
@Command(
        name = "sources",
        description = "Measures one relay with few and with many sources: start, memory, threads, connections, CPU time"
                + " idle and under a load that is spread over all, and what happens when all have a backlog.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class SourcesBenchmark implements Callable<Integer> {
    private static final Duration START_MAX = Duration.ofMinutes(2);
    private static final Duration END_MAX = Duration.ofSeconds(30);
    private static final int WRITERS = 2;
    /** The relay has read by then what it can hold, and Kafka's clients wait for an answer longer than that. */
    private static final long FILL_MILLIS = 8_000;

    private static final double MIB = 1 << 20;
    private static final double KIB_IN_MIB = 1 << 10;
    private static final Pattern ADDRESS = Pattern.compile("answering at (http\\S+)");
    private static final Map<String, String> POSTGRES = Map.of(
            "shared_buffers", "64MB",
            "max_wal_size", "8GB",
            "checkpoint_timeout", "1h",
            "autovacuum", "off",
            "max_wal_senders", "120",
            "max_replication_slots", "120",
            "max_connections", "400");

    @Option(names = "--sources", split = ",", description = "How many sources one relay has.")
    private List<Integer> counts = List.of(1, 10, 50);

    @Option(names = "--servers", description = "PostgreSQL servers that their databases are spread over.")
    private int servers = 5;

    @Option(names = "--heap", description = "The relay's -Xmx.")
    private String heap = "512m";

    @Option(names = "--warm-up", description = "Seconds of load that do not count.")
    private int warmUp = 15;

    @Option(names = "--settle", description = "Seconds behind that before the idle relay is watched.")
    private int settle = 5;

    @Option(names = "--seconds", description = "How long the relay is watched idle, and then under load.")
    private int seconds = 15;

    @Option(
            names = "--rate",
            description = "Events a second under load, over all sources together, one in a transaction.")
    private int rate = 1_000;

    @Option(
            names = "--backlog",
            description = "Events that each source gets while Kafka stands still; 0 to leave that out.")
    private int backlog = 40_000;

    @Option(names = "--payload", description = "Payload size, bytes; at least 64.")
    private int payload = 300;

    @Mixin
    private JsonReport json = new JsonReport();

    private final FigureTable measured = new FigureTable("sources", "sources", FigureTable.Growth.EACH_FURTHER);
    private Path directory = Path.of(".");

    @Override
    public Integer call() throws Exception {
        directory = Files.createTempDirectory("benchmarks-sources");
        List<LocalPostgres> started = new ArrayList<>();
        try (LocalKafka kafka = LocalKafka.startOwn(Map.of("log.segment.delete.delay.ms", "0"))) {
            for (int i = 0; i < Math.min(servers, Collections.max(counts)); i++) {
                started.add(LocalPostgres.startOwn(POSTGRES));
            }
            for (int count : counts) {
                measured.begin(count);
                try (Estate estate = new Estate(started, count)) {
                    measure(estate, kafka);
                }
                System.err.printf("%d sources measured, load %.1f%n", count, Machine.load());
                json.root().set("sources", measured.json());
                json.write(); // what is there stays if a later one fails
            }
            System.out.println(measured.markdown());
        } finally {
            started.forEach(LocalPostgres::close);
            Directories.delete(directory);
        }
        return ExitCode.OK;
    }

    private void measure(Estate estate, LocalKafka kafka) throws Exception {
        Workload workload = new Workload(payload, 1, 0, 0, 0);
        Path config =
                Files.writeString(directory.resolve("relay.yaml"), estate.relayConfiguration(kafka.bootstrapServers()));
        Path log = directory.resolve("relay.log");
        Files.deleteIfExists(log);
        long start = System.nanoTime();
        try (JavaProcess process = relay(config, log)) {
            RunningJvm relay = awaitStreaming(process, log, estate.services().size());
            put("startSeconds", "start until all stream, s", "%.2f", (System.nanoTime() - start) / 1e9);
            put("startCpuSeconds", "CPU time until then, s", "%.2f", relay.cpuSeconds());
            write(estate, workload, warmUp);
            Thread.sleep(settle * 1_000L);
            put("idleCpuPercent", "idle: CPU, % of a core", "%.2f", 100 * share(relay::cpuSeconds, this::idle));
            put("threads", "threads", "%.0f", (double) relay.threads());
            Estate.Sessions sessions = estate.sessions();
            put("walsenders", "replication connections to PostgreSQL", "%.0f", (double) sessions.walsenders());
            put(
                    "postgresConnections",
                    "other connections to PostgreSQL",
                    "%.0f",
                    (double) sessions.connections() - sessions.walsenders());
            put("kafkaConnections", "connections to a Kafka broker", "%.0f", relay.connectionsTo(kafka.port()));
            put("liveHeapMib", "heap in use after a collection, MiB", "%.0f", relay.liveHeapBytes() / MIB);
            put("residentMib", "resident memory, MiB", "%.0f", relay.residentKibibytes() / KIB_IN_MIB);
            double relayCpu = relay.cpuSeconds();
            write(estate, workload, seconds);
            estate.awaitConfirmed(() -> requireAlive(process, log));
            double events = (double) rate * seconds;
            put(
                    "loadCpuMicros",
                    "under load: relay's CPU time for an event, µs",
                    "%.0f",
                    1e6 * (relay.cpuSeconds() - relayCpu) / events);
            put(
                    "loadServerCpuMicros",
                    "under load: servers' CPU time for an event, µs",
                    "%.0f",
                    1e6 * (estate.sessions().cpuSeconds() - sessions.cpuSeconds()) / events);
            if (backlog > 0) {
                fallBehind(estate, kafka, relay, workload, () -> requireAlive(process, log));
            }
            process.terminate();
            process.waitFor(END_MAX);
        }
    }

    /** While Kafka does not answer, every source has as much on its way as it may have. */
    private void fallBehind(Estate estate, LocalKafka kafka, RunningJvm relay, Workload workload, Runnable stillGoing)
            throws Exception {
        kafka.pause();
        double cpu = relay.cpuSeconds();
        estate.addBacklog(backlog, workload);
        Thread.sleep(FILL_MILLIS);
        put(
                "fullHeapMib",
                "Kafka stands still: heap in use after a collection, MiB",
                "%.0f",
                relay.liveHeapBytes() / MIB);
        kafka.resume();
        long start = System.nanoTime();
        estate.awaitConfirmed(stillGoing);
        double events = (double) backlog * estate.services().size();
        put("catchUpSeconds", "until the backlogs are in Kafka, s", "%.1f", (System.nanoTime() - start) / 1e9);
        put(
                "catchUpCpuMicros",
                "relay's CPU time for an event of them, µs",
                "%.1f",
                1e6 * (relay.cpuSeconds() - cpu) / events);
        put("caughtUpHeapMib", "heap in use afterwards, MiB", "%.0f", relay.liveHeapBytes() / MIB);
        put("residentMaxMib", "most resident memory, MiB", "%.0f", relay.residentMaxKibibytes() / KIB_IN_MIB);
    }

    private void put(String key, String title, String format, double value) {
        measured.put(key, title, format, value);
    }

    /** As it is delivered: its command line, its defaults, the options of {@code bin/relay}; but a heap of known size. */
    private JavaProcess relay(Path config, Path log) {
        return JavaProcess.main("dev.tributary.relay.cli.RelayCommand")
                .jvmArgs("-Xmx" + heap, "-XX:+ExitOnOutOfMemoryError")
                .jvmArgs("-XX:+IgnoreUnrecognizedVMOptions", "-XX:+UnlockDiagnosticVMOptions")
                .jvmArgs("-XX:GCLockerRetryAllocationCount=1000")
                .args("run", "--config", config.toString())
                .output(log)
                .start();
    }

    /** The log says it, once for each source. */
    private static RunningJvm awaitStreaming(JavaProcess process, Path log, int sources) throws Exception {
        long deadline = System.nanoTime() + START_MAX.toNanos();
        while (true) {
            requireAlive(process, log);
            String said = text(log);
            Matcher address = ADDRESS.matcher(said);
            if (IntStream.range(0, sources).allMatch(i -> said.contains("s" + sources + "_" + i + " is STREAMING"))
                    && address.find()) {
                return new RunningJvm(process, URI.create(address.group(1)));
            }
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("not all sources stream: " + said);
            }
            Thread.sleep(10);
        }
    }

    private static void requireAlive(JavaProcess process, Path log) {
        if (!process.isAlive()) {
            throw new IllegalStateException("the relay ended: " + text(log));
        }
    }

    private static String text(Path log) {
        try {
            return Files.exists(log) ? Files.readString(log) : "";
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private void idle() throws InterruptedException {
        Thread.sleep(seconds * 1_000L);
    }

    private interface Phase {
        void run() throws Exception;
    }

    private static double share(java.util.function.DoubleSupplier cpuSeconds, Phase phase) throws Exception {
        double cpu = cpuSeconds.getAsDouble();
        long since = System.nanoTime();
        phase.run();
        return (cpuSeconds.getAsDouble() - cpu) / ((System.nanoTime() - since) / 1e9);
    }

    private void write(Estate estate, Workload workload, int duration) throws Exception {
        new OpenLoop(rate, rate * duration).run(() -> new SpreadWriter(estate, workload), WRITERS);
    }

    /** Publishes in one service after the other. */
    private static final class SpreadWriter implements OpenLoop.Writer {
        private static final String PUBLISH = "SELECT tributary.publish('" + Workload.AGGREGATE_TYPE + "', ?, '"
                + Workload.EVENT_TYPE + "', ?::json)";

        private final List<Connection> connections = new ArrayList<>();
        private final List<PreparedStatement> publishing = new ArrayList<>();
        private final Workload workload;

        SpreadWriter(Estate estate, Workload workload) throws SQLException {
            this.workload = workload;
            for (Estate.Service service : estate.services()) {
                Connection connection = service.server().connect(service.url());
                connections.add(connection);
                publishing.add(connection.prepareStatement(PUBLISH));
            }
        }

        @Override
        public void write(int number) throws SQLException {
            PreparedStatement publish = publishing.get(number % publishing.size());
            publish.setString(1, Workload.aggregateId(number));
            publish.setString(2, new String(workload.payload(number % Workload.PAYLOADS), StandardCharsets.US_ASCII));
            publish.execute();
        }

        @Override
        public void close() {
            for (Connection connection : connections) {
                try {
                    connection.close();
                } catch (SQLException e) {
                    throw new IllegalStateException(e);
                }
            }
        }
    }
}
