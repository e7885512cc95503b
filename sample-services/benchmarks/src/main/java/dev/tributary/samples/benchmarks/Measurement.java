package dev.tributary.samples.benchmarks;

import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What one contestant did in one round.
 *
 * @param walsenderCpuSeconds 0 for a contestant that reads no WAL
 */
record Measurement(long events, double seconds, double processCpuSeconds, double walsenderCpuSeconds) {

    double eventsPerSecond() {
        return events / seconds;
    }

    double eventsPerProcessCpuSecond() {
        return events / processCpuSeconds;
    }

    /** NaN without a walsender. */
    double eventsPerWalsenderCpuSecond() {
        return walsenderCpuSeconds == 0 ? Double.NaN : events / walsenderCpuSeconds;
    }

    static <T> double median(List<T> rounds, ToDoubleFunction<T> of) {
        List<Double> sorted = rounds.stream()
                .map(of::applyAsDouble)
                .sorted(Comparator.naturalOrder())
                .toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }
}
