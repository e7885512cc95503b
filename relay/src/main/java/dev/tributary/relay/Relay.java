package dev.tributary.relay;

import dev.tributary.relay.config.SourceConfig;
import java.time.Clock;
import java.time.Instant;
import java.util.Map;

/** Relays one source's events from PostgreSQL to Kafka until closed. */
public final class Relay implements Runnable, AutoCloseable {
    private final SourceConfig source;
    private final Instant started;

    /**
     * Opens nothing yet.
     *
     * @param kafka Kafka client properties; must name {@code bootstrap.servers}
     */
    public Relay(SourceConfig source, Map<String, Object> kafka, Clock clock) {
        this.source = source;
        this.started = clock.instant();
    }

    /** Relays until {@link #close}; waits for what is away, opens again what broke, stops on what only people can mend. */
    @Override
    public void run() {}

    /** How it stands. Safe to call from any thread. */
    public SourceStatus status() {
        return new SourceStatus(
                source.name(),
                SourceState.RECOVERING,
                started,
                "",
                "",
                new SourceStatus.Progress(0, 0, 0, 0, 0, 0, 0, null));
    }

    /** Ends {@link #run} from another thread, confirming what is acknowledged; returns when it has ended. */
    @Override
    public void close() {}
}
