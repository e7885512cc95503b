package dev.tributary.samples.benchmarks;

import dev.tributary.consumer.progress.ViewProgress;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.EventTypes;
import dev.tributary.outbox.Outbox;
import dev.tributary.outbox.wire.ReadToken;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Readers that wait, each with the token of one of the commits that count, until the view includes it. */
final class TokenReads implements LatencyBenchmark.Reader {
    private static final Duration WAIT_MAX = Duration.ofSeconds(30);

    private final Latencies latencies;
    private final VisibleView view;
    private final ViewProgress progress;
    private final Outbox outbox;
    private final ExecutorService readers = Executors.newCachedThreadPool();

    TokenReads(LocalPostgres postgres, String bootstrapServers, String source, Latencies latencies, int events)
            throws SQLException {
        this.latencies = latencies;
        view = new VisibleView(postgres, bootstrapServers, Contestant.topic(source), new Latencies(events));
        progress = ViewProgress.of(view.subscription()).start();
        outbox = Outbox.builder(EventTypes.builder().build()).source(source).build();
    }

    /** Called by the writer when the event's transaction has committed. */
    void committed(int number, Connection connection) throws SQLException {
        if (!latencies.counts(number)) {
            return;
        }
        ReadToken token = outbox.token(connection);
        readers.execute(() -> {
            try {
                if (progress.await(token, WAIT_MAX).included()) {
                    latencies.arrived(number, System.nanoTime());
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    @Override
    public void awaitAll() {
        latencies.awaitAll();
    }

    @Override
    public void close() {
        readers.shutdownNow();
        progress.close();
        view.close();
    }
}
