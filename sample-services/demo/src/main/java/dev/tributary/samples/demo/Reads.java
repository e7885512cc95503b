package dev.tributary.samples.demo;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.ConcurrentHistogram;

/**
 * Customers who look for their order at support as soon as sales has taken it, with the token that sales gave them. As many
 * as there are threads for; the others do not look.
 */
final class Reads implements AutoCloseable {
    private static final int READERS = 4;
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private final URI support;
    private final HttpClient http = HttpClient.newHttpClient();
    private final ThreadPoolExecutor readers =
            new ThreadPoolExecutor(READERS, READERS, 0, TimeUnit.SECONDS, new SynchronousQueue<>());
    private final ConcurrentHistogram micros = new ConcurrentHistogram(TIMEOUT.toNanos() / 1_000, 3);
    private final LongAdder missed = new LongAdder();
    private final LongAdder notYet = new LongAdder();
    private final LongAdder unanswered = new LongAdder();

    Reads(URI support) {
        this.support = support;
    }

    /**
     * What the readers found.
     *
     * @param seen their order, as support said that it would be there
     * @param missed not their order, though support said that it would be there: must never happen
     * @param notYet that support does not know of it yet
     * @param unanswered nothing, as support was down
     */
    record Found(long seen, long missed, long notYet, long unanswered, double p50Millis, double p99Millis) {}

    /** Looks for an order, if somebody has time. */
    void look(String customer, String order, String token) {
        try {
            readers.execute(() -> ask(customer, order, token));
        } catch (RejectedExecutionException e) {
            // All are looking already
            return;
        }
    }

    private void ask(String customer, String order, String token) {
        HttpRequest request = HttpRequest.newBuilder(support.resolve("/customers/" + customer + "/orders"))
                .timeout(TIMEOUT)
                .header("Tributary-Token", token)
                .build();
        long start = System.nanoTime();
        try {
            HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
            String view = response.headers().firstValue("Tributary-View").orElse("");
            if (response.statusCode() / 100 != 2) {
                unanswered.increment();
            } else if (!view.equals("included")) {
                notYet.increment();
            } else if (response.body().contains(order)) {
                micros.recordValue(Math.min((System.nanoTime() - start) / 1_000, micros.getHighestTrackableValue()));
            } else {
                missed.increment();
            }
        } catch (IOException e) {
            unanswered.increment();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    Found found() {
        return new Found(
                micros.getTotalCount(),
                missed.sum(),
                notYet.sum(),
                unanswered.sum(),
                micros.getValueAtPercentile(50) / 1_000.0,
                micros.getValueAtPercentile(99) / 1_000.0);
    }

    @Override
    public void close() {
        readers.shutdownNow();
    }
}
