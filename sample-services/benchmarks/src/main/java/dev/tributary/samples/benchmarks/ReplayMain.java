package dev.tributary.samples.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.replay.HistoryReplay;
import dev.tributary.relay.replay.Part;
import java.lang.management.ManagementFactory;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;

/** One contestant: first with the events that warm it up, then with those that count. Prints what those took. */
final class ReplayMain {
    /** In the first line that counts, before the numbers. */
    static final String RESULT = "RESULT";

    private static final OperatingSystemMXBean PROCESS =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private final String run;
    private final String url;
    private final String bootstrapServers;
    private final Workload workload;
    private long events;
    private Moment begin = new Moment(0, 0, 0);
    private Moment end = begin;

    private record Moment(long nanos, long cpuNanos, double backendSeconds) {}

    private ReplayMain(String run, String url, String bootstrapServers, Workload workload) {
        this.run = run;
        this.url = url;
        this.bootstrapServers = bootstrapServers;
        this.workload = workload;
    }

    /** Runs a contestant by its name, with run, database URL, bootstrap servers, payload, events to warm up, and to measure. */
    public static void main(String[] args) throws SQLException {
        int warmUp = Integer.parseInt(args[5]);
        Workload workload = new Workload(Integer.parseInt(args[4]), 1, warmUp, Integer.parseInt(args[6]), 0);
        ReplayMain main = new ReplayMain(args[1], args[2], args[3], workload);
        ReplayContestant contestant = ReplayContestant.valueOf(args[0]);
        main.go(contestant, ReplayBenchmark.WARM_UP);
        main.go(contestant, ReplayBenchmark.MEASURED);
        System.out.println(RESULT + " " + main.events + " " + (main.end.nanos - main.begin.nanos) + " "
                + (main.end.cpuNanos - main.begin.cpuNanos) + " "
                + (main.end.backendSeconds - main.begin.backendSeconds));
    }

    private void go(ReplayContestant contestant, String aggregateType) throws SQLException {
        switch (contestant) {
            case COPY -> copy(aggregateType, "");
            case SORTED_COPY -> copy(aggregateType, " ORDER BY aggregate_type, aggregate_id, sequence");
            case PRODUCER ->
                produce(
                        aggregateType.equals(ReplayBenchmark.MEASURED)
                                ? workload.measuredEvents()
                                : workload.warmUpEvents());
            case REPLAY -> replay(aggregateType);
        }
    }

    private void copy(String aggregateType, String order) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_backend_pid()")) {
            row.next();
            long backend = row.getLong(1);
            begin = now(backend);
            CopyOut copy = connection
                    .unwrap(PGConnection.class)
                    .getCopyAPI()
                    .copyOut("COPY (SELECT * FROM tributary.event_store WHERE aggregate_type = '" + aggregateType + "'"
                            + order + ") TO STDOUT (FORMAT binary)");
            long rows = -1; // the trailer
            while (copy.readFromCopy() != null) {
                rows++;
            }
            events = rows;
            end = now(backend);
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the callback tells
    private void produce(int count) {
        List<ProducerRecord<byte[], byte[]>> records = ProducerMain.records(run, workload);
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(ProducerMain.settings(bootstrapServers))) {
            begin = now(0);
            for (int i = 0; i < count; i++) {
                producer.send(records.get(i % ProducerMain.DIFFERENT_RECORDS), (metadata, exception) -> {
                    if (exception != null) {
                        exception.printStackTrace();
                        Runtime.getRuntime().halt(1);
                    }
                });
            }
            producer.flush();
            end = now(0);
            events = count;
        }
    }

    private void replay(String aggregateType) throws SQLException {
        SourceConfig source = new SourceConfig(
                ReplayBenchmark.SOURCE,
                url,
                LocalPostgres.USER,
                LocalPostgres.PASSWORD,
                SourceConfig.Engine.PGOUTPUT,
                "${source}.${aggregate_type}",
                1);
        HistoryReplay.Options options = new HistoryReplay.Options(
                run + "-" + aggregateType,
                new Part(Set.of(aggregateType), null, null, null, null, null),
                Long.MAX_VALUE,
                false,
                false,
                false);
        try (Connection connection = connect()) {
            boolean[] begun = new boolean[1];
            new HistoryReplay(
                            source,
                            Map.of("bootstrap.servers", bootstrapServers),
                            options,
                            new HistoryReplay.Account() {
                                @Override
                                public void say(String line) {
                                    System.out.println(line);
                                }

                                @Override
                                public void progress(HistoryReplay.Progress progress) {
                                    end = now(backend(connection));
                                    events = progress.done();
                                    begin = begun[0] ? begin : end;
                                    begun[0] = true;
                                }
                            })
                    .run();
        }
    }

    /** The one that copies for the replay. */
    private static long backend(Connection connection) {
        try (PreparedStatement query =
                connection.prepareStatement("SELECT pid FROM pg_stat_activity WHERE application_name = ?")) {
            query.setString(1, "tributary-relay-" + ReplayBenchmark.SOURCE + "-replay");
            try (ResultSet row = query.executeQuery()) {
                return row.next() ? row.getLong(1) : 0;
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection(url, LocalPostgres.USER, LocalPostgres.PASSWORD);
    }

    private static Moment now(long backend) {
        return new Moment(System.nanoTime(), PROCESS.getProcessCpuTime(), backend == 0 ? 0 : CpuTime.of(backend));
    }
}
