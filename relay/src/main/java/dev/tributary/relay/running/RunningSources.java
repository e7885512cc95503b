package dev.tributary.relay.running;

import dev.tributary.relay.Relay;
import dev.tributary.relay.SourceState;
import dev.tributary.relay.SourceStatus;
import dev.tributary.relay.config.RelayConfig;
import dev.tributary.relay.config.SourceConfig;
import java.time.Clock;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;

/** All sources of this process, each on a thread of its own: what befalls one does not disturb the others. */
public final class RunningSources implements SourceStatuses, AutoCloseable {
    private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(8);
    private static final long LOOK_EVERY_MILLIS = 10;

    private final List<RunningSource> sources;

    private RunningSources(List<RunningSource> sources) {
        this.sources = sources;
    }

    /** Starts them all; returns at once, whether databases and Kafka are up or not. */
    public static RunningSources start(RelayConfig config, Clock clock) {
        return start(config.sources(), Relay.sharing(config, clock).andThen(SourceBody::of), clock);
    }

    static RunningSources start(List<SourceConfig> sources, Function<SourceConfig, SourceBody> body, Clock clock) {
        List<RunningSource> running = sources.stream()
                .sorted(Comparator.comparing(SourceConfig::name))
                .map(source -> new RunningSource(source.name(), body.apply(source), clock))
                .toList();
        running.forEach(RunningSource::start);
        return new RunningSources(running);
    }

    @Override
    public List<SourceStatus> statuses() {
        return sources.stream().map(RunningSource::status).toList();
    }

    /** Waits until none is busy with its start any more, but not for long: one may be waiting for its database. */
    public void awaitStart(Duration max) throws InterruptedException {
        long deadline = System.nanoTime() + max.toNanos();
        while (statuses().stream().anyMatch(status -> status.state() == SourceState.RECOVERING)
                && System.nanoTime() < deadline) {
            Thread.sleep(LOOK_EVERY_MILLIS);
        }
    }

    /** Ends them side by side; returns when they have ended, or after some seconds with a warning in the log. */
    @Override
    public void close() {
        List<Thread> closers = sources.stream()
                .map(source -> new Thread(() -> source.close(CLOSE_PATIENCE), "relay-close"))
                .toList();
        closers.forEach(Thread::start);
        for (Thread closer : closers) {
            try {
                closer.join(2 * CLOSE_PATIENCE.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
