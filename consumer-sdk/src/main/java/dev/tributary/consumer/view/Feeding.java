package dev.tributary.consumer.view;

import dev.tributary.consumer.Feed;
import dev.tributary.consumer.History;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/** The taps of one process on one version's tables. Thread-safe. */
final class Feeding implements Feed {
    private static final Duration WHILE_PAUSED = Duration.ofMillis(100);

    private final String schema;
    private final History history;
    private final Permission permission;
    private final Pacing pacing;
    private volatile boolean paused;
    private volatile boolean unhurried = true;
    private volatile Map<TopicPartition, Long> stops = Map.of();

    /** Whether the tables may be fed, asked in the transaction that begins to. */
    interface Permission {
        boolean isGiven(Connection connection) throws SQLException;
    }

    Feeding(String schema, History history, Permission permission, Pacing pacing) {
        this.schema = schema;
        this.history = history;
        this.permission = permission;
        this.pacing = pacing;
    }

    @Override
    public String schema() {
        return schema;
    }

    @Override
    public History history() {
        return history;
    }

    @Override
    public boolean mayClaim(Connection connection) throws SQLException {
        return permission.isGiven(connection);
    }

    @Override
    public Duration pauseBefore(TopicPartition partition, int events) {
        if (paused) {
            return WHILE_PAUSED;
        }
        return unhurried ? pacing.take(partition, events, System.nanoTime()) : Duration.ZERO;
    }

    @Override
    public long stopBefore(TopicPartition partition) {
        return stops.getOrDefault(partition, Long.MAX_VALUE);
    }

    void paused(boolean pause) {
        paused = pause;
    }

    /** Whether the pace counts: not for a live version, nor for one that is about to be. */
    void unhurried(boolean keepsPace) {
        unhurried = keepsPace;
    }

    /** Its pace, for all partitions together. */
    Pacing pacing() {
        return pacing;
    }

    void stopBefore(Map<TopicPartition, Long> offsets) {
        stops = Map.copyOf(offsets);
    }
}
