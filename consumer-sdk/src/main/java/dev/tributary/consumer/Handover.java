package dev.tributary.consumer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.Replay;
import dev.tributary.outbox.wire.WireHeaders;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/** The step from replayed topics to live ones, in one transaction of the view's database, which is the caller's to commit. */
final class Handover {
    private static final JsonMapper JSON = new JsonMapper();
    /** Nobody's claim: whoever opens the partition next makes one. */
    private static final UUID NOBODY = new UUID(0, 0);

    private final Connection connection;
    private final String subscription;
    private final Set<String> replayed;

    Handover(Connection connection, String subscription, Set<String> replayed) {
        this.connection = connection;
        this.subscription = subscription;
        this.replayed = replayed;
    }

    /**
     * Where a live partition begins.
     *
     * @param positions by source, the last one that history includes
     */
    record Start(String topicId, long offset, Map<String, Position> positions) {}

    /** Whether it was taken already. */
    boolean isDone() throws SQLException {
        try (PreparedStatement query = connection.prepareStatement("SELECT EXISTS (SELECT FROM"
                + " tributary.subscription_position WHERE subscription = ? AND NOT topic = ANY (?))")) {
            query.setString(1, subscription);
            query.setArray(2, connection.createArrayOf("text", replayed.toArray()));
            try (ResultSet row = query.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }

    /** The same, and lets no other transaction take it, nor claim a partition of history, until this one ends. */
    boolean isDoneLocked() throws SQLException {
        try (PreparedStatement lock = connection.prepareStatement(
                "SELECT pg_advisory_xact_lock(hashtext('tributary handover'), hashtext(?))")) {
            lock.setString(1, subscription);
            lock.execute();
        }
        return isDone();
    }

    /** How far history is applied. */
    enum Reach {
        /** Not all of it, somewhere. */
        BEFORE,
        /** All of it, and nothing more. */
        AT,
        /** All of it, and somewhere what a further round has added since. */
        BEYOND
    }

    /** How far the tables are. */
    Reach reach(Map<String, Replay> replays) throws SQLException {
        return reach(replays, "");
    }

    /** The same, and nothing of it is applied until the transaction ends. */
    Reach reachLocked(Map<String, Replay> replays) throws SQLException {
        return reach(replays, " FOR UPDATE");
    }

    private Reach reach(Map<String, Replay> replays, String lock) throws SQLException {
        Map<TopicPartition, Long> ends = new HashMap<>();
        replays.forEach((topic, replay) ->
                replay.ends().forEach((partition, end) -> ends.put(new TopicPartition(topic, partition), end)));
        boolean beyond = false;
        try (PreparedStatement query =
                connection.prepareStatement("SELECT topic, topic_partition, topic_id, next_offset"
                        + " FROM tributary.subscription_position WHERE subscription = ? AND topic = ANY (?)"
                        + " ORDER BY topic, topic_partition" + lock)) {
            query.setString(1, subscription);
            query.setArray(2, connection.createArrayOf("text", replayed.toArray()));
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    TopicPartition partition = new TopicPartition(row.getString(1), row.getInt(2));
                    long end = Objects.requireNonNullElse(ends.remove(partition), 0L);
                    Replay replay = replays.get(partition.topic());
                    if (replay == null || !replay.topicId().equals(row.getString(3)) || row.getLong(4) < end) {
                        return Reach.BEFORE;
                    }
                    beyond |= row.getLong(4) > end;
                }
            }
        }
        return !ends.isEmpty() ? Reach.BEFORE : beyond ? Reach.BEYOND : Reach.AT;
    }

    /** Takes it; under {@link #isDoneLocked} and {@link #reachLocked}. Those that apply history are fenced off. */
    void run(Map<String, Replay> replays, Map<TopicPartition, Start> starts) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO tributary.subscription_position"
                + " (subscription, topic, topic_partition, topic_id, owner, instance, next_offset, positions)"
                + " VALUES (?, ?, ?, ?, ?, '', ?, ?::jsonb)")) {
            for (Map.Entry<TopicPartition, Start> each : starts.entrySet()) {
                insert.setString(1, subscription);
                insert.setString(2, each.getKey().topic());
                insert.setInt(3, each.getKey().partition());
                insert.setString(4, each.getValue().topicId());
                insert.setObject(5, NOBODY);
                insert.setLong(6, each.getValue().offset());
                insert.setString(7, PositionStore.json(each.getValue().positions()));
                insert.addBatch();
            }
            insert.executeBatch();
        }
        try (PreparedStatement update = connection.prepareStatement("UPDATE tributary.subscription_position"
                + " SET owner = ?, instance = '' WHERE subscription = ? AND topic = ANY (?)")) {
            update.setObject(1, NOBODY);
            update.setString(2, subscription);
            update.setArray(3, connection.createArrayOf("text", replayed.toArray()));
            update.executeUpdate();
        }
        moveParked(replays);
    }

    /** To where their next events come from, so that those are found to be behind parked ones. */
    private void moveParked(Map<String, Replay> replays) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement("SELECT DISTINCT ON (a.source, a.aggregate_type,"
                        + " a.aggregate_id) a.source, a.aggregate_type, a.aggregate_id, a.topic, e.record_key, e.headers"
                        + " FROM tributary.parked_aggregate a JOIN tributary.parked_event e"
                        + " USING (subscription, source, aggregate_type, aggregate_id)"
                        + " WHERE a.subscription = ? AND a.topic = ANY (?)"
                        + " ORDER BY a.source, a.aggregate_type, a.aggregate_id, e.park_order");
                PreparedStatement update = connection.prepareStatement("UPDATE tributary.parked_aggregate"
                        + " SET topic = ?, topic_partition = ? WHERE subscription = ? AND source = ?"
                        + " AND aggregate_type = ? AND aggregate_id = ?")) {
            query.setString(1, subscription);
            query.setArray(2, connection.createArrayOf("text", replayed.toArray()));
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    Replay replay = replays.get(row.getString(4));
                    String origin = origin(row.getString(6));
                    Replay.Live live = replay == null || origin == null
                            ? null
                            : replay.live().get(origin);
                    if (live != null && !live.offsets().isEmpty()) {
                        update.setString(1, origin);
                        update.setInt(
                                2,
                                Utils.toPositive(Utils.murmur2(row.getBytes(5)))
                                        % live.offsets().size());
                        update.setString(3, subscription);
                        update.setString(4, row.getString(1));
                        update.setString(5, row.getString(2));
                        update.setString(6, row.getString(3));
                        update.addBatch();
                    }
                }
            }
            update.executeBatch();
        }
    }

    /** The topic that a parked event was first published to. */
    private static @Nullable String origin(String headers) throws SQLException {
        try {
            for (JsonNode header : JSON.readTree(headers)) {
                if (header.path(0).asText().equals(WireHeaders.REPLAY_OF)) {
                    return header.path(1).asText();
                }
            }
            return null;
        } catch (JsonProcessingException e) {
            throw new SQLException("the headers of a parked event cannot be read", e);
        }
    }
}
