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
    private static final double NANOS_PER_SECOND = 1e9;
    private static final List<String> WAL_STATUSES = List.of("reserved", "extended", "unreserved", "lost");

    private final SourceStatuses sources;

    SourceMetrics(SourceStatuses sources) {
        this.sources = sources;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        sources.statuses().forEach(status -> bind(registry, status.source()));
    }

    private void bind(MeterRegistry registry, String source) {
        counter(registry, source, "events", "Events acknowledged by Kafka", Progress::events);
        counter(registry, source, "bytes", "Payload bytes acknowledged by Kafka", Progress::bytes);
        counter(registry, source, "skipped", "Events found in Kafka already and not sent again", Progress::skipped);
        counter(registry, source, "retries", "Times the source was opened again after a failure", Progress::retries);
        gauge(
                registry,
                source,
                "confirmed.lsn",
                "Everything committed up to this WAL position is in Kafka",
                Progress::confirmedLsn);
        gauge(registry, source, "server.lsn", "End of the server's WAL as last heard", Progress::serverLsn);
        gauge(registry, source, "lag.bytes", "WAL not confirmed yet, bytes", Progress::lagBytes);
        gauge(
                registry,
                source,
                "lag.seconds",
                "Age of the oldest committed event not in Kafka; NaN while unknown",
                SourceMetrics::lagSeconds);
        gauge(registry, source, "retained.bytes", "WAL that the server keeps for the slot", Progress::retainedBytes);
        gauge(
                registry,
                source,
                "safe.bytes",
                "WAL that may still be written before the server invalidates the slot; NaN if it never does",
                SourceMetrics::safeBytes);
        gauge(
                registry,
                source,
                "parked.aggregates",
                "Aggregates whose events are set aside behind one that Kafka will never take",
                Progress::parkedAggregates);
        gauge(registry, source, "in.flight", "Events sent and not yet acknowledged", Progress::eventsInFlight);
        slotGauge(
                registry,
                source,
                "wal.bytes.per.second",
                "How fast the server has written WAL over the last minute; NaN while unknown",
                slot -> orNaN(slot.walBytesPerSecond()));
        slotGauge(
                registry,
                source,
                "slot.bytes.max",
                "WAL that may be kept for the slot, by the server's limit or the configured one; NaN if there is neither",
                slot -> orNaN(slot.bytesMax()));
        slotGauge(
                registry,
                source,
                "slot.seconds.left",
                "Until that limit, if nothing more were confirmed; NaN if there is none, or nothing is written",
                slot -> orNaN(slot.timeLeft() == null ? null : slot.timeLeft().toSeconds()));
        slotGauge(
                registry,
                source,
                "slot.danger",
                "1 if the slot is lost, or will soon be; 0 otherwise",
                slot -> slot.danger().isEmpty() ? 0 : 1);
        retentionGauge(
                registry,
                source,
                "outbox.bytes",
                "Size of tributary.outbox; NaN where this relay does not keep it small",
                RetentionStatus::outboxBytes);
        retentionGauge(
                registry,
                source,
                "outbox.default.bytes",
                "Size of its default partition, where events land for which no partition was made in time",
                RetentionStatus::defaultBytes);
        retentionGauge(
                registry,
                source,
                "outbox.overdue.seconds",
                "How much older than the recovery window the oldest events are; 0 if none are",
                retention -> retention.overdue().toSeconds());
        for (String walStatus : WAL_STATUSES) {
            Gauge.builder(
                            "tributary.relay.slot.wal.status",
                            sources,
                            all -> walStatus.equals(status(all, source).slot().walStatus()) ? 1 : 0)
                    .description(
                            "1 for what PostgreSQL says of the slot's WAL, 0 for the others; all 0 if there is no slot")
                    .tag("source", source)
                    .tag("wal_status", walStatus)
                    .register(registry);
        }
        for (SourceState state : SourceState.values()) {
            Gauge.builder(
                            "tributary.relay.state",
                            sources,
                            all -> status(all, source).state() == state ? 1 : 0)
                    .description("1 for the state the source is in, 0 for the others")
                    .tag("source", source)
                    .tag("state", state.name().toLowerCase(Locale.ROOT))
                    .register(registry);
        }
    }

    private void counter(
            MeterRegistry registry, String source, String name, String description, ToDoubleFunction<Progress> value) {
        FunctionCounter.builder(
                        "tributary.relay." + name,
                        sources,
                        all -> value.applyAsDouble(status(all, source).progress()))
                .description(description)
                .tag("source", source)
                .register(registry);
    }

    private void gauge(
            MeterRegistry registry, String source, String name, String description, ToDoubleFunction<Progress> value) {
        Gauge.builder(
                        "tributary.relay." + name,
                        sources,
                        all -> value.applyAsDouble(status(all, source).progress()))
                .description(description)
                .tag("source", source)
                .register(registry);
    }

    private void slotGauge(
            MeterRegistry registry,
            String source,
            String name,
            String description,
            ToDoubleFunction<SlotHealth> value) {
        Gauge.builder(
                        "tributary.relay." + name,
                        sources,
                        all -> value.applyAsDouble(status(all, source).slot()))
                .description(description)
                .tag("source", source)
                .register(registry);
    }

    private void retentionGauge(
            MeterRegistry registry,
            String source,
            String name,
            String description,
            ToDoubleFunction<RetentionStatus> value) {
        Gauge.builder("tributary.relay." + name, sources, all -> {
                    RetentionStatus retention = status(all, source).retention();
                    return retention == null || !retention.leading() ? Double.NaN : value.applyAsDouble(retention);
                })
                .description(description)
                .tag("source", source)
                .register(registry);
    }

    private static double orNaN(@Nullable Number number) {
        return number == null ? Double.NaN : number.doubleValue();
    }

    private static double lagSeconds(Progress progress) {
        Duration lag = progress.lag();
        return lag == null ? Double.NaN : lag.toNanos() / NANOS_PER_SECOND;
    }

    private static double safeBytes(Progress progress) {
        Long safe = progress.safeBytes();
        return safe == null ? Double.NaN : safe;
    }

    private static SourceStatus status(SourceStatuses all, String source) {
        return all.statuses().stream()
                .filter(status -> status.source().equals(source))
                .findFirst()
                .orElseThrow();
    }
}
