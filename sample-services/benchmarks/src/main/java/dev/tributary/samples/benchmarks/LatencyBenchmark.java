package dev.tributary.samples.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** From a transaction that is due to its event in a consumer's hands, and in a view, at steady rates. */
@Command(
        name = "latency",
        description = "Compares how long events take: the relay, Debezium, and a plain producer as the floor.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class LatencyBenchmark implements Callable<Integer> {
    private static final int TOKENS_PER_SECOND_MAX = 500;
    private static final int WRITERS = 4;
    private static final int PARTITIONS = 6;
    private static final Duration ARRIVE_MAX = Duration.ofSeconds(60);
    private static final Duration END_MAX = Duration.ofSeconds(10);

    /** The ways from a writer to a reader. */
    enum Way {
        FLOOR("plain produce and consume"),
        RELAY("relay (pgoutput)"),
        RELAY_VIEW("relay, to visible in a view"),
        RELAY_TOKEN("relay, to a read that waits with the write's token"),
        DEBEZIUM("Debezium"),
        DEBEZIUM_TUNED("Debezium, tuned");

        private final String title;

        Way(String title) {
            this.title = title;
        }
    }

    @Option(names = "--rates", split = ",", description = "Offered events per second.")
    private List<Integer> rates = List.of(100, 1_000, 5_000);

    @Option(names = "--seconds", description = "How long each rate is measured.")
    private int seconds = 20;

    @Option(names = "--warm-up", description = "Seconds at the same rate before.")
    private int warmUp = 20;

    @Option(names = "--payload", description = "Payload size, bytes; at least 64.")
    private int payloadBytes = 300;

    @Option(names = "--only", split = ",", description = "Only these: ${COMPLETION-CANDIDATES}.")
    private Set<Way> ways = EnumSet.allOf(Way.class);

    @Mixin
    private JsonReport json = new JsonReport();

    private int runs;

    @Override
    public Integer call() throws Exception {
        Path directory = Files.createTempDirectory("benchmarks-latency");
        try (LocalPostgres postgres = LocalPostgres.startOwn(Map.of("autovacuum", "off", "max_wal_size", "8GB"));
                LocalKafka kafka = LocalKafka.startOwn(Map.of())) {
            for (int rate : rates) {
                System.out.printf(
                        "%n### %,d events per second, %d B%n%n| | p50 ms | p99 ms | p99.9 ms | longest ms | CPU of the"
                                + " relaying process |%n|---|--:|--:|--:|--:|--:|%n",
                        rate, payloadBytes);
                for (Way way : ways) {
                    Result result = measure(postgres, kafka, way, rate, directory);
                    Latencies.Summary latency = result.latency;
                    System.out.printf(
                            Locale.ROOT,
                            "| %s | %.2f | %.2f | %.2f | %.1f | %s |%n",
                            way.title,
                            latency.p50(),
                            latency.p99(),
                            latency.p999(),
                            latency.max(),
                            Double.isNaN(result.cpu) ? "" : String.format(Locale.ROOT, "%.1f %%", 100 * result.cpu));
                    json.add("measured", figures(rate, way, result));
                }
            }
        } finally {
            Directories.delete(directory);
        }
        return ExitCode.OK;
    }

    /** @param cpu of the relaying process, in cores; NaN without one */
    private record Result(Latencies.Summary latency, double cpu) {}

    private static ObjectNode figures(int rate, Way way, Result result) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("eventsPerSecond", rate)
                .put("way", way.name().toLowerCase(Locale.ROOT))
                .put("relayingProcessCpu", Double.isNaN(result.cpu) ? null : result.cpu)
                .putPOJO("milliseconds", result.latency);
    }

    private Result measure(LocalPostgres postgres, LocalKafka kafka, Way way, int rate, Path directory)
            throws Exception {
        String run = "latency_" + ++runs;
        String topic = Contestant.topic(run);
        int first = rate * warmUp;
        int count = first + rate * seconds;
        Workload workload = new Workload(payloadBytes, 1, 0, 0, 0);
        // Readers on the same two cores: as many as a service would have, whatever the rate
        int every = way == Way.RELAY_TOKEN ? Math.max(1, rate / TOKENS_PER_SECOND_MAX) : 1;
        Latencies latencies = new Latencies(count, every);
        OpenLoop loop = new OpenLoop(rate, count);
        createTopic(kafka, topic);
        if (way == Way.FLOOR) {
            try (Arrivals arrivals = new Arrivals(kafka.bootstrapServers(), topic, PARTITIONS, latencies)) {
                loop.run(() -> new PlainProducer(kafka.bootstrapServers(), topic, workload), 1);
                arrivals.awaitAll();
            }
            return new Result(latencies.since(loop, first), Double.NaN);
        }
        try (FilledDatabase database = FilledDatabase.fill(postgres, workload)) {
            database.createSlot(Contestant.slot(run));
            try (JavaProcess process = start(way, run, database, kafka, workload, directory);
                    Reader reader = reader(way, postgres, kafka, run, latencies, count)) {
                await("stream", () -> database.isRead(Contestant.slot(run)), process);
                double cpuBefore = CpuTime.of(process.pid());
                long before = System.nanoTime();
                AfterCommit afterCommit = reader instanceof TokenReads reads ? reads::committed : (number, open) -> {};
                loop.run(() -> new OutboxWriter(postgres, database.url(), workload, afterCommit), WRITERS);
                reader.awaitAll();
                double cpu = (CpuTime.of(process.pid()) - cpuBefore) / ((System.nanoTime() - before) / 1e9);
                process.terminate();
                process.waitFor(END_MAX);
                return new Result(latencies.since(loop, first), cpu);
            } finally {
                database.dropSlot(Contestant.slot(run));
            }
        }
    }

    private static Reader reader(
            Way way, LocalPostgres postgres, LocalKafka kafka, String run, Latencies latencies, int count)
            throws SQLException {
        String topic = Contestant.topic(run);
        return switch (way) {
            case RELAY_VIEW -> new VisibleView(postgres, kafka.bootstrapServers(), topic, latencies);
            case RELAY_TOKEN -> new TokenReads(postgres, kafka.bootstrapServers(), run, latencies, count);
            default -> new Arrivals(kafka.bootstrapServers(), topic, PARTITIONS, latencies);
        };
    }

    /** What a writer does when an event's transaction has committed. */
    private interface AfterCommit {
        void committed(int number, Connection connection) throws SQLException;
    }

    private static JavaProcess start(
            Way way, String run, FilledDatabase database, LocalKafka kafka, Workload workload, Path directory)
            throws Exception {
        Contestant contestant =
                switch (way) {
                    case DEBEZIUM -> Contestant.DEBEZIUM;
                    case DEBEZIUM_TUNED -> Contestant.DEBEZIUM_TUNED;
                    default -> Contestant.RELAY;
                };
        return contestant
                .process(run, database.url(), kafka.bootstrapServers(), workload, directory)
                .jvmArgs("-Xmx1g", "-D" + Benchmarks.LOGGING_PROPERTY + "=" + Benchmarks.QUIET_LOGGING)
                .output(directory.resolve(run + ".log"))
                .start();
    }

    private static void createTopic(LocalKafka kafka, String topic) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            admin.createTopics(List.of(new NewTopic(topic, Optional.of(PARTITIONS), Optional.empty())))
                    .all()
                    .get();
        }
    }

    private static void await(String what, BooleanSupplier condition, JavaProcess process) throws InterruptedException {
        long deadline = System.nanoTime() + ARRIVE_MAX.toNanos();
        while (!condition.getAsBoolean()) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                throw new IllegalStateException("a contestant does not " + what);
            }
            Thread.sleep(10);
        }
    }

    /** Somebody at the other end. */
    interface Reader extends AutoCloseable {
        /** Returns when all events have arrived; fails if they do not. */
        void awaitAll();

        @Override
        void close();
    }

    /** A service's transaction: one row into the outbox. */
    private static final class OutboxWriter implements OpenLoop.Writer {
        private final Connection connection;
        private final PreparedStatement insert;
        private final Workload workload;
        private final AfterCommit afterCommit;

        OutboxWriter(LocalPostgres postgres, String url, Workload workload, AfterCommit afterCommit)
                throws SQLException {
            this.workload = workload;
            this.afterCommit = afterCommit;
            connection = postgres.connect(url);
            insert = connection.prepareStatement("INSERT INTO tributary.outbox VALUES (gen_random_uuid(), '"
                    + Workload.AGGREGATE_TYPE + "', ?, NULL, '" + Workload.EVENT_TYPE + "', '" + Workload.CONTENT_TYPE
                    + "', ?, NULL, clock_timestamp())");
        }

        @Override
        public void write(int number) throws SQLException {
            insert.setString(1, Integer.toString(number));
            insert.setBytes(2, workload.payload(number % Workload.PAYLOADS));
            insert.executeUpdate();
            afterCommit.committed(number, connection);
        }

        @Override
        public void close() {
            try {
                connection.close();
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** What nobody can be quicker than: straight to Kafka. */
    private static final class PlainProducer implements OpenLoop.Writer {
        private final KafkaProducer<byte[], byte[]> producer;
        private final String topic;
        private final Workload workload;

        PlainProducer(String bootstrapServers, String topic, Workload workload) {
            this.producer = new KafkaProducer<>(ProducerMain.settings(bootstrapServers));
            this.topic = topic;
            this.workload = workload;
        }

        @Override
        @SuppressWarnings("FutureReturnValueIgnored") // what does not arrive is missed
        public void write(int number) {
            byte[] key = Integer.toString(number).getBytes(US_ASCII);
            producer.send(new ProducerRecord<>(topic, key, workload.payload(number % Workload.PAYLOADS)));
        }

        @Override
        public void close() {
            producer.close();
        }
    }
}
