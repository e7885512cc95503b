package dev.tributary.relay;

import dev.tributary.outbox.retention.OutboxRetention;
import dev.tributary.outbox.retention.RetentionSettings;
import dev.tributary.outbox.retention.RetentionStatus;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.source.PostgresDatabase;
import java.sql.SQLException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * Takes one source's turns of retention, on a thread and a connection of its own: it never waits for the stream, nor the
 * stream for it, and goes on while the source is stopped.
 */
final class SourceRetention implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SourceRetention.class);
    private static final long AWAY_TURNS = 10;

    private final SourceConfig source;
    private final RetentionSettings settings;
    private final Thread thread;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final @Nullable String loggedAs = MDC.get("source");
    private volatile RetentionStatus status = RetentionStatus.UNKNOWN;
    private String logged = "";
    private long loggedHours;

    private SourceRetention(SourceConfig source, RetentionSettings settings) {
        this.source = source;
        this.settings = settings;
        this.thread = new Thread(this::run, "retention-" + source.name());
        thread.setDaemon(true);
    }

    /** Null if the relay is not to remove events. */
    static @Nullable SourceRetention start(SourceConfig source) {
        RetentionSettings settings = source.retention();
        if (settings == null) {
            return null;
        }
        SourceRetention retention = new SourceRetention(source, settings);
        retention.thread.start();
        return retention;
    }

    private void run() {
        if (loggedAs != null) {
            MDC.put("source", loggedAs);
        }
        long turn = settings.turnInterval().toMillis();
        try (OutboxRetention retention =
                new OutboxRetention(() -> PostgresDatabase.open(source, "retention"), settings)) {
            long wait = 0;
            while (!closing.await(wait, TimeUnit.MILLISECONDS)) {
                wait = turn(retention) ? turn : Math.min(turn * AWAY_TURNS, TimeUnit.MINUTES.toMillis(1));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (SQLException e) {
            LOG.debug("Source {}: retention did not end cleanly", source.name(), e);
        }
    }

    private boolean turn(OutboxRetention retention) {
        try {
            RetentionStatus now = retention.turn();
            status = now;
            log(now);
            return true;
        } catch (SQLException | RuntimeException e) {
            RetentionStatus last = status;
            status = new RetentionStatus(
                    false,
                    last.partitions(),
                    last.outboxBytes(),
                    last.defaultBytes(),
                    last.overdue(),
                    "it failed: " + e.getMessage(),
                    "the relay's role must be a member of the role that owns tributary.outbox: see 'relay check'");
            LOG.debug("Source {}: retention failed", source.name(), e);
            log(status);
            return false;
        }
    }

    /** Once, and again for every hour that it grows. */
    private void log(RetentionStatus now) {
        String kind = now.trouble().replaceAll("\\d+", "#");
        long hours = now.overdue().toHours();
        if (!now.trouble().isEmpty() && (!kind.equals(logged) || hours > loggedHours)) {
            LOG.warn(
                    "Source {}: retention: {}. The outbox has {} bytes, and is {} late.{}",
                    source.name(),
                    now.trouble(),
                    now.outboxBytes(),
                    now.overdue(),
                    now.remedy().isEmpty() ? "" : " Remedy: " + now.remedy());
        } else if (now.trouble().isEmpty() && !logged.isEmpty()) {
            LOG.info("Source {}: retention works again", source.name());
        }
        logged = kind;
        loggedHours = hours;
    }

    RetentionStatus status() {
        return status;
    }

    /** Returns when it has ended, or after some seconds. */
    @Override
    public void close() {
        closing.countDown();
        try {
            thread.join(settings.pauseMax().toMillis() + TimeUnit.SECONDS.toMillis(2));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
