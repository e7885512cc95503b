package dev.tributary.samples.demo;

import dev.tributary.samples.demo.Findings.Committed;
import dev.tributary.samples.demo.Findings.Effect;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.function.BiPredicate;
import org.HdrHistogram.Histogram;

/**
 * Times from an event's commit at its source to the commit that made its row visible in support's view, both as
 * PostgreSQL noted them. Of orders and shipments only: of a customer's row, which takes several events, only the last one's
 * commit is known.
 */
final class Latencies {
    private static final double MICROS_PER_MILLI = 1_000.0;

    private final Histogram micros = new Histogram(3);

    private Latencies() {}

    static Latencies ofAll(Findings findings) {
        return of(findings, (from, to) -> true);
    }

    /** Only of events that were not under way during any of the outages. */
    static Latencies ofUndisturbed(Findings findings, List<Outage> outages) {
        return of(findings, (from, to) -> outages.stream()
                .noneMatch(outage -> from.isBefore(outage.to()) && to.isAfter(outage.from())));
    }

    private static Latencies of(Findings findings, BiPredicate<Instant, Instant> counts) {
        Latencies latencies = new Latencies();
        for (Committed event : findings.committed()) {
            Effect effect = findings.effects().get(event.effect());
            if (effect != null
                    && !event.effect().startsWith("customer/")
                    && counts.test(event.at(), effect.visibleAt())) {
                latencies.add(Duration.between(event.at(), effect.visibleAt()));
            }
        }
        return latencies;
    }

    private void add(Duration latency) {
        micros.recordValue(Math.max(0, latency.toNanos() / 1_000));
    }

    long count() {
        return micros.getTotalCount();
    }

    /** For people, in milliseconds. */
    @Override
    public String toString() {
        return count() == 0 ? "p50 - p99 -" : "p50 " + millis(50) + " ms  p99 " + millis(99) + " ms";
    }

    private String millis(double percentile) {
        double value = micros.getValueAtPercentile(percentile) / MICROS_PER_MILLI;
        return String.format(Locale.ROOT, value < 10 ? "%.1f" : "%,.0f", value);
    }
}
