package dev.tributary.consumer.view;

import dev.tributary.consumer.Event;
import dev.tributary.consumer.Feed;
import dev.tributary.consumer.History;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/** Lets a rebuild apply what the live tables have applied, and nothing else. Thread-safe. */
final class MatchedFeed implements Feed {
    private final String schema;
    private final History history;
    private final Pacing pacing;
    private volatile Bounds bounds = new Bounds(Map.of(), EventFates.NONE);

    private record Bounds(Map<TopicPartition, Long> offsets, EventFates fates) {}

    MatchedFeed(String schema, History history, Pacing pacing) {
        this.schema = schema;
        this.history = history;
        this.pacing = pacing;
    }

    /** @param offsets what comes before them is applied; nothing of partitions that are not named */
    void follow(Map<TopicPartition, Long> offsets, EventFates fates) {
        bounds = new Bounds(Map.copyOf(offsets), fates);
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
        return VersionTables.exist(connection, schema);
    }

    @Override
    public Duration pauseBefore(TopicPartition partition, int events) {
        return pacing.take(partition, events, System.nanoTime());
    }

    @Override
    public long stopBefore(TopicPartition partition) {
        return bounds.offsets().getOrDefault(partition, 0L);
    }

    @Override
    public Fate fate(Event<byte[]> event) {
        return bounds.fates().of(event);
    }
}
