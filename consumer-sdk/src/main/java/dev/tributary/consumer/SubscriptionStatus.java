package dev.tributary.consumer;

import java.util.List;

/**
 * A subscription's instance at one moment, for operators; health and metrics are drawn from it.
 *
 * @param subscription its name
 * @param state what this instance is doing
 * @param reason why, in a sentence; empty when there is nothing to say
 * @param partitions the partitions that this instance has, by topic and number
 * @param totals what this instance has done since it was started, partitions that it has given away included
 */
public record SubscriptionStatus(
        String subscription, State state, String reason, List<PartitionStatus> partitions, Counters totals) {
    /** What an instance is doing. */
    public enum State {
        /** Has not heard from Kafka yet. */
        STARTING,
        /** Reads the partitions that it has been given, which may be none. */
        RUNNING,
        /** Cannot reach Kafka, or not all of its topics are there; goes on by itself. */
        WAITING,
        /** Closed for good. */
        CLOSED
    }

    /** Whether events can flow: running, and no partition stopped or held up. */
    public boolean healthy() {
        return state == State.RUNNING
                && partitions.stream()
                        .noneMatch(partition -> partition.state() == PartitionStatus.State.STOPPED
                                || partition.state() == PartitionStatus.State.RETRYING);
    }

    /**
     * What has been done since the instance was started.
     *
     * @param applied events handled and committed
     * @param duplicates events dropped because they had been applied before
     * @param skipped events of types without a handler
     * @param garbage records that are no readable events
     * @param parked events set aside
     * @param redriven events applied, or skipped, that had been set aside
     * @param discarded events done without, that had been set aside
     * @param batches transactions committed
     * @param retries attempts repeated after passing failures
     * @param fenced times that another instance had taken a partition from under this one
     */
    public record Counters(
            long applied,
            long duplicates,
            long skipped,
            long garbage,
            long parked,
            long redriven,
            long discarded,
            long batches,
            long retries,
            long fenced) {}
}
