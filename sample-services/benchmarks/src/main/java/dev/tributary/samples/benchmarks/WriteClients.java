package dev.tributary.samples.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import dev.tributary.localstack.LocalPostgres;
import java.lang.management.ManagementFactory;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.LongStream;

/** Clients that write one transaction after the other, as quickly as they can, for a while. */
final class WriteClients {
    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private final LocalPostgres postgres;
    private final String url;
    private final EventWriter writer;
    private final WriteSetting setting;
    private volatile boolean stopped;

    WriteClients(LocalPostgres postgres, String url, EventWriter writer, WriteSetting setting) {
        this.postgres = postgres;
        this.url = url;
        this.writer = writer;
        this.setting = setting;
    }

    /**
     * @param transactions all that were committed, also before and after what was measured
     */
    record Written(long transactions, WriteMeasurement measured) {}

    /** Returns when all clients have ended. */
    Written write(double warmUpSeconds, double seconds) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(setting.clients());
        try {
            List<Future<long[]>> clients = new ArrayList<>();
            for (int client = 0; client < setting.clients(); client++) {
                int number = client;
                clients.add(threads.submit(() -> client(number)));
            }
            Thread.sleep(Math.round(warmUpSeconds * 1e3));
            Sample start = sample();
            Thread.sleep(Math.round(seconds * 1e3));
            Sample end = sample();
            stopped = true;
            List<long[]> times = new ArrayList<>();
            for (Future<long[]> client : clients) {
                times.add(client.get());
            }
            return written(times, start, end);
        } finally {
            stopped = true;
            threads.shutdown();
        }
    }

    /** Begin and end of each transaction. */
    private long[] client(int client) throws Exception {
        long[] times = new long[1 << 12];
        int count = 0;
        for (long number = 0; !stopped; number += setting.eventsPerTransaction()) {
            if (count == times.length) {
                times = Arrays.copyOf(times, 2 * count);
            }
            int aggregate =
                    setting.aggregate(client, ThreadLocalRandom.current().nextInt(Integer.MAX_VALUE));
            WriteJob job = WriteJob.of(aggregate, number, setting.eventsPerTransaction());
            times[count++] = System.nanoTime();
            writer.write(job);
            times[count++] = System.nanoTime();
        }
        return Arrays.copyOf(times, count);
    }

    private record Sample(long nanos, long clientCpuNanos, double backendCpuSeconds) {}

    private Sample sample() throws SQLException {
        return new Sample(System.nanoTime(), SYSTEM.getProcessCpuTime(), CpuTime.ofBackends(postgres, url));
    }

    private Written written(List<long[]> times, Sample start, Sample end) {
        long transactions = 0;
        LongStream.Builder measured = LongStream.builder();
        for (long[] client : times) {
            transactions += client.length / 2;
            for (int i = 0; i < client.length; i += 2) {
                if (client[i + 1] - start.nanos >= 0 && client[i + 1] - end.nanos < 0) {
                    measured.add(client[i + 1] - client[i]);
                }
            }
        }
        long[] nanos = measured.build().sorted().toArray();
        return new Written(
                transactions,
                new WriteMeasurement(
                        nanos.length,
                        (long) nanos.length * setting.eventsPerTransaction(),
                        (end.nanos - start.nanos) / 1e9,
                        (end.clientCpuNanos - start.clientCpuNanos) / 1e9,
                        end.backendCpuSeconds - start.backendCpuSeconds,
                        millis(nanos, 0.5),
                        millis(nanos, 0.99)));
    }

    /** NaN if there was none: a contender may be that slow. */
    private static double millis(long[] sorted, double share) {
        return sorted.length == 0 ? Double.NaN : sorted[(int) (sorted.length * share)] / 1e6;
    }
}
