package dev.tributary.consumer.view;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;

/** How far a subscription is in all its partitions, as the database has it. */
record Positions(Map<TopicPartition, Position> all) {
    /** One partition's: the next offset, of the topic with that id. */
    record Position(String topicId, long nextOffset) {}

    static Positions read(Connection connection, String subscription) throws SQLException {
        return read(connection, subscription, "");
    }

    /** Lets no batch of it begin until the transaction ends. */
    static Positions lock(Connection connection, String subscription) throws SQLException {
        return read(connection, subscription, " ORDER BY topic, topic_partition FOR UPDATE");
    }

    private static Positions read(Connection connection, String subscription, String lock) throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement("SELECT topic, topic_partition, topic_id, next_offset"
                        + " FROM tributary.subscription_position WHERE subscription = ?" + lock)) {
            query.setString(1, subscription);
            Map<TopicPartition, Position> all = new HashMap<>();
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    all.put(
                            new TopicPartition(row.getString(1), row.getInt(2)),
                            new Position(row.getString(3), row.getLong(4)));
                }
            }
            return new Positions(Map.copyOf(all));
        }
    }

    /** Those in some topics. */
    Positions of(Set<String> topics) {
        return new Positions(all.entrySet().stream()
                .filter(each -> topics.contains(each.getKey().topic()))
                .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue)));
    }

    Map<TopicPartition, Long> offsets() {
        return all.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, each -> each.getValue()
                .nextOffset()));
    }
}
