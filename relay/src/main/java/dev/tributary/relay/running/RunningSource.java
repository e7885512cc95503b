package dev.tributary.relay.running;

import dev.tributary.relay.SourceState;
import dev.tributary.relay.SourceStatus;
import java.time.Clock;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** One source on its thread. If the thread ends unasked, the source counts as stopped, whatever it says itself. */
final class RunningSource {
    private static final Logger LOG = LoggerFactory.getLogger(RunningSource.class);
    private static final String SOURCE = "source";

    private final String name;
    private final SourceBody body;
    private final Clock clock;
    private final Thread thread;
    private volatile boolean closing;
    private volatile @Nullable SourceStatus ended;

    RunningSource(String name, SourceBody body, Clock clock) {
        this.name = name;
        this.body = body;
        this.clock = clock;
        this.thread = new Thread(this::run, "relay-" + name);
    }

    void start() {
        thread.start();
    }

    SourceStatus status() {
        SourceStatus last = ended;
        return last != null ? last : body.status();
    }

    /** Asks it to end and gives it {@code patience} to do so; safe to call twice. */
    void close(Duration patience) {
        closing = true;
        Thread closer = new Thread(this::closeBody, "relay-" + name + "-close");
        closer.setDaemon(true);
        closer.start();
        if (!ends(closer, patience) || !ends(thread, patience)) {
            LOG.warn(
                    "source {} did not end within {} s; what it sent unconfirmed is sent again at the next start",
                    name,
                    patience.toSeconds());
        }
    }

    private static boolean ends(Thread thread, Duration patience) {
        try {
            thread.join(patience.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return !thread.isAlive();
    }

    private void closeBody() {
        MDC.put(SOURCE, name);
        try {
            body.close();
        } catch (RuntimeException e) {
            LOG.warn("source {} did not close cleanly", name, e);
        }
    }

    private void run() {
        MDC.put(SOURCE, name);
        try {
            body.run();
            if (!closing && body.status().state() != SourceState.STOPPED) {
                end("it ended without being asked to");
            }
        } catch (Throwable e) {
            // Errors too: whatever ends this thread must be seen, and must not touch the other sources
            LOG.error("source {} failed in a way it was not built for", name, e);
            end("it failed in a way it was not built for: " + e);
        }
    }

    private void end(String reason) {
        SourceStatus last = body.status();
        ended = new SourceStatus(
                name,
                SourceState.STOPPED,
                clock.instant(),
                reason,
                "Restart the relay: it goes on from the confirmed position. The log has the details for a bug report.",
                false,
                last.progress(),
                last.slot(),
                last.retention());
    }
}
