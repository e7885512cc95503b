package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/** What a relay costs that has nothing to do, and how long it takes to start. */
@Command(
        name = "idle",
        description = "Measures a relay's time from its start to streaming, and its CPU time while nothing is written.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class IdleBenchmark implements Callable<Integer> {
    private static final long START_MAX_NANOS = Duration.ofSeconds(60).toNanos();

    @Option(names = "--rounds", description = "Starts.")
    private int rounds = 5;

    @Option(names = "--settle", description = "Seconds after the start that do not count.")
    private int settle = 10;

    @Option(names = "--seconds", description = "How long the idle relay is watched, in the last round.")
    private int seconds = 30;

    @Override
    public Integer call() throws Exception {
        Path directory = Files.createTempDirectory("benchmarks-idle");
        Workload nothing = new Workload(300, 1, 0, 0, 0);
        try (LocalPostgres postgres = LocalPostgres.startOwn(Map.of());
                LocalKafka kafka = LocalKafka.startOwn(Map.of());
                FilledDatabase database = FilledDatabase.fill(postgres, nothing)) {
            database.createSlot(Contestant.slot("idle"));
            for (int round = 1; round <= rounds; round++) {
                long start = System.nanoTime();
                try (JavaProcess relay = Contestant.RELAY
                        .process("idle", database.url(), kafka.bootstrapServers(), nothing, directory)
                        .output(directory.resolve("idle.log"))
                        .start()) {
                    awaitStreaming(directory.resolve("idle.log"), round, start);
                    System.out.printf(
                            Locale.ROOT,
                            "start %d: %.2f s to STREAMING, %.2f s of CPU time%n",
                            round,
                            (System.nanoTime() - start) / 1e9,
                            CpuTime.of(relay.pid()));
                    if (round == rounds) {
                        watch(relay);
                    }
                    relay.terminate();
                    relay.waitFor(Duration.ofSeconds(20));
                }
            }
            database.dropSlot(Contestant.slot("idle"));
        } finally {
            Directories.delete(directory);
        }
        return ExitCode.OK;
    }

    private void watch(JavaProcess relay) throws InterruptedException {
        Thread.sleep(settle * 1_000L);
        double cpu = CpuTime.of(relay.pid());
        long since = System.nanoTime();
        Thread.sleep(seconds * 1_000L);
        double share = (CpuTime.of(relay.pid()) - cpu) / ((System.nanoTime() - since) / 1e9);
        System.out.printf(Locale.ROOT, "idle for %d s: %.2f %% of a core%n", seconds, 100 * share);
    }

    /** The log says it, once for each round. */
    private static void awaitStreaming(Path log, int times, long startNanos) throws Exception {
        while (times(log, "STREAMING") < times) {
            if (System.nanoTime() - startNanos > START_MAX_NANOS) {
                throw new IllegalStateException("the relay does not stream: " + Files.readString(log));
            }
            Thread.sleep(5);
        }
    }

    private static int times(Path log, String word) throws Exception {
        return Files.exists(log) ? Files.readString(log).split(word, -1).length - 1 : 0;
    }
}
