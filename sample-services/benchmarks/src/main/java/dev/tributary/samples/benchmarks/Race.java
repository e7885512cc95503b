package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * Runs one contestant over one filled database and measures the part behind the warm-up and before the rest, so that
 * its buffers are full at both ends: time by this process's clock, CPU time by the operating system's accounts. Events count when they are in Kafka (its end
 * offsets), or, for the one that writes nothing, when it has read them. Used by one thread.
 */
final class Race implements AutoCloseable {
    private static final Duration RUN_MAX = Duration.ofMinutes(5);
    private static final Duration END_MAX = Duration.ofSeconds(10);
    private static final long LOOK_INTERVAL_MS = 10;
    private static final int PARTITIONS = 6; // as many as the relay gives to topics that it creates

    private final FilledDatabase database;
    private final LocalKafka kafka;
    private final Workload workload;
    private final Path directory;
    private final List<String> jvmArguments;
    private final Admin admin;

    Race(FilledDatabase database, LocalKafka kafka, Workload workload, Path directory, List<String> jvmArguments) {
        this.database = database;
        this.kafka = kafka;
        this.workload = workload;
        this.directory = directory;
        this.jvmArguments = jvmArguments;
        this.admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()));
    }

    /** @param run a name that no other run in this database or this Kafka has */
    Measurement run(Contestant contestant, String run)
            throws SQLException, IOException, InterruptedException, ExecutionException {
        String topic = Contestant.topic(run);
        admin.createTopics(List.of(new NewTopic(topic, Optional.of(PARTITIONS), Optional.empty())))
                .all()
                .get();
        database.createSlot(Contestant.slot(run));
        try {
            return measure(contestant, run);
        } finally {
            database.dropSlot(Contestant.slot(run));
            admin.deleteTopics(List.of(topic)).all().get();
        }
    }

    private Measurement measure(Contestant contestant, String run)
            throws SQLException, IOException, InterruptedException {
        Path log = directory.resolve(run + ".log");
        AtomicLong lastPrinted = new AtomicLong();
        JavaProcess.Builder builder = contestant
                .process(run, database.url(), kafka.bootstrapServers(), workload, directory)
                .jvmArgs("-D" + Benchmarks.LOGGING_PROPERTY + "=" + Benchmarks.QUIET_LOGGING)
                .jvmArgs(jvmArguments.toArray(String[]::new));
        if (contestant.writesToKafka()) {
            builder.output(log);
        } else {
            builder.output(line -> {
                if (Character.isDigit(line.charAt(0))) { // the JVM may have something to say too
                    lastPrinted.set(Long.parseLong(line));
                }
            });
        }
        LongSupplier count = contestant.writesToKafka() ? () -> recordsIn(Contestant.topic(run)) : lastPrinted::get;
        try (JavaProcess process = builder.start()) {
            Sample warm = await(workload.warmUpEvents(), contestant, run, process, count, log);
            Sample end =
                    await(workload.warmUpEvents() + workload.measuredEvents(), contestant, run, process, count, log);
            process.terminate();
            process.waitFor(END_MAX);
            return warm.until(end);
        }
    }

    private Sample await(
            long events, Contestant contestant, String run, JavaProcess process, LongSupplier count, Path log)
            throws InterruptedException, SQLException, IOException {
        long deadline = System.nanoTime() + RUN_MAX.toNanos();
        long counted = count.getAsLong();
        while (counted < events) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                throw new IllegalStateException(contestant.title() + " got to " + counted + " of " + events
                        + " events and " + (process.isAlive() ? "hangs" : "ended") + "; it said: " + text(log));
            }
            Thread.sleep(LOOK_INTERVAL_MS);
            counted = count.getAsLong();
        }
        long now = System.nanoTime();
        double walsender = contestant.readsWal() ? CpuTime.of(database.walsenderPid(Contestant.slot(run))) : 0;
        return new Sample(now, counted, CpuTime.of(process.pid()), walsender);
    }

    private static String text(Path log) throws IOException {
        return Files.exists(log) ? Files.readString(log) : "(nothing)";
    }

    private long recordsIn(String topic) {
        List<TopicPartition> partitions = IntStream.range(0, PARTITIONS)
                .mapToObj(partition -> new TopicPartition(topic, partition))
                .toList();
        try {
            return admin
                    .listOffsets(partitions.stream().collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest())))
                    .all()
                    .get()
                    .values()
                    .stream()
                    .mapToLong(end -> end.offset())
                    .sum();
        } catch (ExecutionException | InterruptedException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                return 0; // created a moment ago
            }
            throw new IllegalStateException("the end of topic " + topic + " cannot be read", e);
        }
    }

    @Override
    public void close() {
        admin.close();
    }

    private record Sample(long nanos, long events, double processCpu, double walsenderCpu) {
        Measurement until(Sample end) {
            return new Measurement(
                    end.events - events,
                    (end.nanos - nanos) / 1e9,
                    end.processCpu - processCpu,
                    // It runs ahead, as far as buffers reach, and needs no warm-up: its share of all that it did
                    end.walsenderCpu * (end.events - events) / end.events);
        }
    }
}
