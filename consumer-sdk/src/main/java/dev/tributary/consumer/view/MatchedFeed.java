package dev.tributary.consumer.view;

import dev.tributary.consumer.Event;
import dev.tributary.consumer.Feed;
import dev.tributary.consumer.History;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** Lets a rebuild apply what the live tables have applied, and nothing else. Thread-safe. */
final class MatchedFeed implements Feed {
    private final String schema;
    private final History history;
    private final Pacing pacing;
    private volatile @Nullable Bounds bounds;

    private record Bounds(Map<TopicPartition, Long> offsets, EventFates fates) {}

    MatchedFeed(String schema, History history, Pacing pacing) {
        this.schema = schema;
        this.history = history;
        this.pacing = pacing;
    }

    /** @param offsets what comes before them is applied; of partitions that are not named, nothing if they are no history */
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
        Bounds now = bounds;
        if (now == null) {
            return 0;
        }
        return now.offsets()
                .getOrDefault(partition, history.replays().contains(partition.topic()) ? Long.MAX_VALUE : 0);
    }

    @Override
    public Fate fate(Event<byte[]> event) {
        Bounds now = bounds;
        return now == null ? Fate.APPLY : now.fates().of(event);
    }
}
