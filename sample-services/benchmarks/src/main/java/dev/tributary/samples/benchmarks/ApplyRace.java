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
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Has one applier after the other apply a whole topic to a database of its own, and measures the part behind the
 * warm-up: time by this process's clock, CPU time by the operating system's accounts. Used by one thread.
 */
final class ApplyRace {
    private static final Duration RUN_MAX = Duration.ofMinutes(5);
    private static final Duration END_MAX = Duration.ofSeconds(10);

    private final LocalPostgres postgres;
    private final LocalKafka kafka;
    private final List<String> jvmArguments;

    ApplyRace(LocalPostgres postgres, LocalKafka kafka, List<String> jvmArguments) {
        this.postgres = postgres;
        this.kafka = kafka;
        this.jvmArguments = jvmArguments;
    }

    private record Sample(long nanos, long events, double processCpu, double backendCpu) {
        ApplyMeasurement until(Sample end) {
            return new ApplyMeasurement(
                    end.events - events,
                    (end.nanos - nanos) / 1e9,
                    end.processCpu - processCpu,
                    end.backendCpu - backendCpu);
        }
    }

    ApplyMeasurement run(Applier applier, CustomerTopic topic, int warmUp) throws SQLException, InterruptedException {
        String url = postgres.createDatabase("apply");
        try (Connection connection = postgres.connect(url);
                Statement statement = connection.createStatement()) {
            ConsumerSchema.apply(connection);
            statement.execute("CREATE TABLE customer " + CustomerChanged.TABLE);
            statement.execute("CREATE TABLE copied AS TABLE customer");
            statement.execute("CREATE TABLE inbox (id uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())");
            statement.execute("CHECKPOINT");
        }
        List<String> said = new ArrayList<>();
        BlockingQueue<String> counts = new LinkedBlockingQueue<>();
        try (JavaProcess process = JavaProcess.main(ApplyMain.class)
                .args(
                        applier.name(),
                        kafka.bootstrapServers(),
                        topic.name(),
                        url,
                        Integer.toString(warmUp),
                        Integer.toString(topic.events()))
                .jvmArgs("-D" + Benchmarks.LOGGING_PROPERTY + "=" + Benchmarks.QUIET_LOGGING)
                .jvmArgs(jvmArguments.toArray(String[]::new))
                .output(line -> {
                    boolean count = line.matches("\\d+");
                    if (count) {
                        counts.add(line);
                    } else {
                        said.add(line);
                    }
                })
                .start()) {
            Sample warm = sample(applier, process, url, counts, said);
            ApplyMeasurement measured = warm.until(sample(applier, process, url, counts, said));
            if (applier.keepsTheView()) {
                check(applier, url, topic);
            }
            process.terminate();
            process.waitFor(END_MAX);
            return measured;
        } finally {
            postgres.dropDatabase(url);
        }
    }

    private Sample sample(
            Applier applier, JavaProcess process, String url, BlockingQueue<String> counts, List<String> said)
            throws InterruptedException, SQLException {
        long deadline = System.nanoTime() + RUN_MAX.toNanos();
        String count = null;
        while (count == null) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                throw new IllegalStateException(
                        applier.title() + (process.isAlive() ? " hangs" : " ended") + "; it said: " + said);
            }
            count = counts.poll(100, TimeUnit.MILLISECONDS);
        }
        return new Sample(System.nanoTime(), Long.parseLong(count), CpuTime.of(process.pid()), backendCpu(url));
    }

    private double backendCpu(String url) throws SQLException {
        String database = url.substring(url.lastIndexOf('/') + 1);
        double seconds = 0;
        try (Connection connection = postgres.connect(postgres.url("postgres"));
                Statement statement = connection.createStatement();
                ResultSet backends =
                        statement.executeQuery("SELECT pid FROM pg_stat_activity WHERE datname = '" + database + "'")) {
            while (backends.next()) {
                seconds += CpuTime.of(backends.getLong(1));
            }
        }
        return seconds;
    }

    /** Who is quick because it leaves something out takes no part. */
    private void check(Applier applier, String url, CustomerTopic topic) throws SQLException {
        try (Connection connection = postgres.connect(url);
                Statement statement = connection.createStatement();
                ResultSet sums = statement.executeQuery("SELECT count(*), sum(total_cents) FROM customer")) {
            sums.next();
            if (sums.getInt(1) != topic.rows() || sums.getLong(2) != topic.totalCents()) {
                throw new IllegalStateException(applier.title() + " made another view of the events: " + sums.getInt(1)
                        + " rows instead of " + topic.rows());
            }
        }
    }
}
