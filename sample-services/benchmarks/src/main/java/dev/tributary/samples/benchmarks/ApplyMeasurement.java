package dev.tributary.samples.benchmarks;

/**
 * What one applier did in one round.
 *
 * @param backendCpuSeconds of PostgreSQL's processes that served it
 */
record ApplyMeasurement(long events, double seconds, double processCpuSeconds, double backendCpuSeconds) {
    double eventsPerSecond() {
        return events / seconds;
    }

    double eventsPerProcessCpuSecond() {
        return events / processCpuSeconds;
    }

    double eventsPerBackendCpuSecond() {
        return events / backendCpuSeconds;
    }

    /** Of the process and of the backends together. */
    double eventsPerCpuSecond() {
        return events / (processCpuSeconds + backendCpuSeconds);
    }
}
