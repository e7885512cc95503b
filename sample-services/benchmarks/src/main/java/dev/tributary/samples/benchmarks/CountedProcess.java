package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalPostgres;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A process that applies events to a database and prints how many it has applied when it passes each of some numbers. What
 * lies between two of them is measured: time by this process's clock, CPU time by the operating system's accounts. Used by
 * one thread.
 */
final class CountedProcess implements AutoCloseable {
    private static final Duration RUN_MAX = Duration.ofMinutes(5);
    private static final Duration END_MAX = Duration.ofSeconds(10);

    private final LocalPostgres postgres;
    private final String url;
    private final String title;
    private final List<String> said = new ArrayList<>();
    private final BlockingQueue<String> counts = new LinkedBlockingQueue<>();
    private final JavaProcess process;

    /** @param title for messages */
    CountedProcess(LocalPostgres postgres, String url, String title, JavaProcess.Builder program) {
        this.postgres = postgres;
        this.url = url;
        this.title = title;
        process = program.jvmArgs("-D" + Benchmarks.LOGGING_PROPERTY + "=" + Benchmarks.QUIET_LOGGING)
                .output(this::hear)
                .start();
    }

    private void hear(String line) {
        if (line.matches("\\d+")) {
            counts.add(line);
        } else {
            said.add(line);
        }
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

    /** Returns when it has passed the next number. */
    void await() throws SQLException, InterruptedException {
        sample();
    }

    /** From the next number to the one behind it. */
    ApplyMeasurement measure() throws SQLException, InterruptedException {
        Sample warm = sample();
        return warm.until(sample());
    }

    private Sample sample() throws InterruptedException, SQLException {
        long deadline = System.nanoTime() + RUN_MAX.toNanos();
        String count = null;
        while (count == null) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                throw new IllegalStateException(
                        title + (process.isAlive() ? " hangs" : " ended") + "; it said: " + said);
            }
            count = counts.poll(100, TimeUnit.MILLISECONDS);
        }
        return new Sample(
                System.nanoTime(), Long.parseLong(count), CpuTime.of(process.pid()), CpuTime.ofBackends(postgres, url));
    }

    @Override
    public void close() {
        process.terminate();
        process.waitFor(END_MAX);
        process.close();
    }
}
