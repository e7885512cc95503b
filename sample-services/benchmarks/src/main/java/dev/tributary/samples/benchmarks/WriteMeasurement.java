package dev.tributary.samples.benchmarks;

/**
 * What one contender did in one round.
 *
 * @param clientCpuSeconds of this process, which is that of the clients
 * @param backendCpuSeconds of PostgreSQL's processes that served them
 * @param p50Millis of a transaction, from asking the pool for a connection to having given it back
 */
record WriteMeasurement(
        long transactions,
        long events,
        double seconds,
        double clientCpuSeconds,
        double backendCpuSeconds,
        double p50Millis,
        double p99Millis) {

    double transactionsPerSecond() {
        return transactions / seconds;
    }

    double eventsPerSecond() {
        return events / seconds;
    }

    double transactionsPerClientCpuSecond() {
        return transactions / clientCpuSeconds;
    }

    double transactionsPerBackendCpuSecond() {
        return transactions / backendCpuSeconds;
    }

    /** Of the clients and of the backends together. */
    double transactionsPerCpuSecond() {
        return transactions / (clientCpuSeconds + backendCpuSeconds);
    }
}
