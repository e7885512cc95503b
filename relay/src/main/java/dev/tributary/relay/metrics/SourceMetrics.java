package dev.tributary.relay.metrics;

import dev.tributary.outbox.retention.RetentionStatus;
import dev.tributary.relay.SlotHealth;
import dev.tributary.relay.SourceState;
import dev.tributary.relay.SourceStatus;
import dev.tributary.relay.SourceStatus.Progress;
import dev.tributary.relay.running.SourceStatuses;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** One set of meters for each source, tagged with its name. Nothing is counted twice: the status is the only origin. */
@Singleton
final class SourceMetrics implements MeterBinder {
    private static final String PREFIX = "tributary.relay.";
    private static final double NANOS_PER_SECOND = 1e9;
    private static final List<String> WAL_STATUSES = List.of("reserved", "extended", "unreserved", "lost");

    private final SourceStatuses sources;

    SourceMetrics(SourceStatuses sources) {
        this.sources = sources;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        sources.statuses().forEach(status -> new Meters(registry, status.source()).bind());
    }

    /** Those of one source. */
    private final class Meters {
        private final MeterRegistry registry;
        private final String source;

        Meters(MeterRegistry registry, String source) {
            this.registry = registry;
            this.source = source;
        }

        void bind() {
            bindProgress();
            bindSlot();
            bindRetention();
            bindState();
        }

        private void bindProgress() {
            counter("events", "Events acknowledged by Kafka", Progress::events);
            counter("bytes", "Payload bytes acknowledged by Kafka", Progress::bytes);
            counter("skipped", "Events found in Kafka already and not sent again", Progress::skipped);
            counter("retries", "Times the source was opened again after a failure", Progress::retries);
            progress(
                    "confirmed.lsn",
                    "Everything committed up to this WAL position is in Kafka",
                    Progress::confirmedLsn);
            progress("server.lsn", "End of the server's WAL as last heard", Progress::serverLsn);
            progress("lag.bytes", "WAL not confirmed yet, bytes", Progress::lagBytes);
            progress(
                    "lag.seconds",
                    "Age of the oldest committed event not in Kafka; NaN while unknown",
                    SourceMetrics::lagSeconds);
            progress("retained.bytes", "WAL that the server keeps for the slot", Progress::retainedBytes);
            progress(
                    "safe.bytes",
                    "WAL that may still be written before the server invalidates the slot; NaN if it never does",
                    progress -> orNaN(progress.safeBytes()));
            progress(
                    "parked.aggregates",
                    "Aggregates whose events are set aside behind one that Kafka will never take",
                    Progress::parkedAggregates);
            progress("in.flight", "Events sent and not yet acknowledged", Progress::eventsInFlight);
        }

        private void bindSlot() {
            slot(
                    "wal.bytes.per.second",
                    "How fast the server has written WAL over the last minute; NaN while unknown",
                    slot -> orNaN(slot.walBytesPerSecond()));
            slot(
                    "slot.bytes.max",
                    "WAL that may be kept for the slot, by the server's limit or the configured one; NaN if there is"
                            + " neither",
                    slot -> orNaN(slot.bytesMax()));
            slot(
                    "slot.seconds.left",
                    "Until that limit, if nothing more were confirmed; NaN if there is none, or nothing is written",
                    slot -> orNaN(
                            slot.timeLeft() == null ? null : slot.timeLeft().toSeconds()));
            slot(
                    "slot.danger",
                    "1 if the slot is lost, or will soon be; 0 otherwise",
                    slot -> slot.danger().isEmpty() ? 0 : 1);
            for (String walStatus : WAL_STATUSES) {
                String description =
                        "1 for what PostgreSQL says of the slot's WAL, 0 for the others; all 0 if there is no slot";
                gauge(
                                "slot.wal.status",
                                description,
                                status -> walStatus.equals(status.slot().walStatus()) ? 1 : 0)
                        .tag("wal_status", walStatus)
                        .register(registry);
            }
        }

        private void bindRetention() {
            retention(
                    "outbox.bytes",
                    "Size of tributary.outbox; NaN where this relay does not keep it small",
                    RetentionStatus::outboxBytes);
            retention(
                    "outbox.default.bytes",
                    "Size of its default partition, where events land for which no partition was made in time",
                    RetentionStatus::defaultBytes);
            retention(
                    "outbox.overdue.seconds",
                    "How much older than the recovery window the oldest events are; 0 if none are",
                    retention -> retention.overdue().toSeconds());
        }

        private void bindState() {
            for (SourceState state : SourceState.values()) {
                String description = "1 for the state the source is in, 0 for the others";
                gauge("state", description, status -> status.state() == state ? 1 : 0)
                        .tag("state", state.name().toLowerCase(Locale.ROOT))
                        .register(registry);
            }
        }

        private void counter(String name, String description, ToDoubleFunction<Progress> value) {
            FunctionCounter.builder(
                            PREFIX + name,
                            sources,
                            all -> value.applyAsDouble(status(all).progress()))
                    .description(description)
                    .tag("source", source)
                    .register(registry);
        }

        private void progress(String name, String description, ToDoubleFunction<Progress> value) {
            gauge(name, description, status -> value.applyAsDouble(status.progress()))
                    .register(registry);
        }

        private void slot(String name, String description, ToDoubleFunction<SlotHealth> value) {
            gauge(name, description, status -> value.applyAsDouble(status.slot()))
                    .register(registry);
        }

        private void retention(String name, String description, ToDoubleFunction<RetentionStatus> value) {
            gauge(name, description, status -> {
                        RetentionStatus retention = status.retention();
                        return retention == null || !retention.leading() ? Double.NaN : value.applyAsDouble(retention);
                    })
                    .register(registry);
        }

        private Gauge.Builder<SourceStatuses> gauge(
                String name, String description, ToDoubleFunction<SourceStatus> value) {
            return Gauge.builder(PREFIX + name, sources, all -> value.applyAsDouble(status(all)))
                    .description(description)
                    .tag("source", source);
        }

        private SourceStatus status(SourceStatuses all) {
            return all.statuses().stream()
                    .filter(status -> status.source().equals(source))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static double orNaN(@Nullable Number number) {
        return number == null ? Double.NaN : number.doubleValue();
    }

    private static double lagSeconds(Progress progress) {
        Duration lag = progress.lag();
        return lag == null ? Double.NaN : lag.toNanos() / NANOS_PER_SECOND;
    }
}
