package dev.tributary.consumer.progress;

import dev.tributary.consumer.Wiring;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;

/** What the view's database says of a subscription, whichever instances move it. Used by one thread. */
final class ProgressDatabase {
    /** Of one answer; what takes longer is asked again. */
    private static final int ANSWER_MILLIS_MAX = 5_000;

    private final String subscription;
    private final Wiring wiring;
    private final Set<String> sources;

    ProgressDatabase(String subscription, Wiring wiring, Set<String> sources) {
        this.subscription = subscription;
        this.wiring = wiring;
        this.sources = sources;
    }

    /**
     * A look.
     *
     * @param nextOffsets as committed; without partitions whose records Kafka has lost or thrown away with their topic, since
     *     others take their offsets
     * @param parked sources that have events set aside, looked at after the positions
     */
    record Look(Map<TopicPartition, Long> nextOffsets, Set<String> parked) {}

    Look look() throws SQLException {
        try (Connection connection = open()) {
            return new Look(nextOffsets(connection), parked(connection));
        }
    }

    /** In auto-commit mode, and impatient. */
    Connection open() throws SQLException {
        Connection connection = wiring.dataSource().getConnection();
        try {
            connection.setAutoCommit(true);
            connection.setNetworkTimeout(Runnable::run, ANSWER_MILLIS_MAX);
            return connection;
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    private Map<TopicPartition, Long> nextOffsets(Connection connection) throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement("SELECT topic, topic_partition, next_offset, topic_id,"
                        + " coalesce(upper(lost) = next_offset, false) FROM tributary.subscription_position"
                        + " WHERE subscription = ?")) {
            query.setString(1, subscription);
            Map<TopicPartition, Long> offsets = new HashMap<>();
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    String kafkasId = wiring.topicId(row.getString(1));
                    boolean recreated = kafkasId != null && !kafkasId.equals(row.getString(4));
                    if (!recreated && !row.getBoolean(5)) {
                        offsets.put(new TopicPartition(row.getString(1), row.getInt(2)), row.getLong(3));
                    }
                }
            }
            return offsets;
        }
    }

    private Set<String> parked(Connection connection) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement("SELECT source FROM unnest(?::text[]) AS s (source)"
                + " WHERE EXISTS (SELECT 1 FROM tributary.parked_event p"
                + " WHERE p.subscription = ? AND p.source = s.source)")) {
            query.setArray(1, connection.createArrayOf("text", sources.toArray()));
            query.setString(2, subscription);
            Set<String> parked = new HashSet<>();
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    parked.add(row.getString(1));
                }
            }
            return parked;
        }
    }
}
