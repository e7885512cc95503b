package dev.tributary.relay;

import dev.tributary.outbox.retention.RetentionSettings;
import dev.tributary.outbox.retention.RetentionThread;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.source.PostgresDatabase;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * One source's retention, on a thread and a connection of its own: it never waits for the stream, nor the stream for it. While
 * the source neither streams nor stands by it makes partitions, and drops none: a slot that was moved, or that a {@code
 * recover} which failed has left, claims to have confirmed what Kafka lacks.
 */
final class SourceRetention {
    private static final Logger LOG = LoggerFactory.getLogger(SourceRetention.class);

    private SourceRetention() {}

    /** Null if the relay is not to remove events. */
    static @Nullable RetentionThread start(SourceConfig source, BooleanSupplier slotInOrder) {
        RetentionSettings settings = source.retention();
        return settings == null
                ? null
                : RetentionThread.start(
                        "retention-" + source.name(),
                        () -> PostgresDatabase.open(source, "retention"),
                        settings,
                        new Log(source.name(), MDC.get("source")),
                        slotInOrder);
    }

    /** @param loggedAs what the lines of this source are marked with; null for nothing */
    private record Log(String source, @Nullable String loggedAs) implements RetentionThread.Account {
        @Override
        public void trouble(String sentences) {
            log(() -> LOG.warn("Source {}: {}", source, sentences));
        }

        @Override
        public void worksAgain() {
            log(() -> LOG.info("Source {}: retention works again", source));
        }

        private void log(Runnable line) {
            if (loggedAs != null) {
                MDC.put("source", loggedAs); // for this thread, which does nothing else
            }
            line.run();
        }
    }
}
