package dev.tributary.consumer.progress;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** What the view's database says of what feeds it, whichever instances do. Used by one thread. */
final class ProgressDatabase {
    /** Of one answer; what takes longer is asked again. */
    private static final int ANSWER_MILLIS_MAX = 5_000;

    private final Followed followed;
    private final Set<String> sources;

    ProgressDatabase(Followed followed, Set<String> sources) {
        this.followed = followed;
        this.sources = sources;
    }

    /**
     * A look.
     *
     * @param nextOffsets as committed; without partitions whose records Kafka has lost or thrown away with their topic, since
     *     others take their offsets
     * @param topics what it reads, if only the database knows that; null also if it has no position yet
     * @param parked sources that have events set aside, looked at after the positions
     */
    record Look(
            Map<TopicPartition, Long> nextOffsets, @Nullable Set<String> topics, Set<String> parked) {}

    Look look() throws SQLException {
        try (Connection connection = open()) {
            return look(connection);
        }
    }

    /** In auto-commit mode, and impatient. */
    Connection open() throws SQLException {
        Connection connection = followed.dataSource().getConnection();
        try {
            connection.setAutoCommit(true);
            connection.setNetworkTimeout(Runnable::run, ANSWER_MILLIS_MAX);
            return connection;
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    private Look look(Connection connection) throws SQLException {
        // In one statement, so that the positions are those of the version that is live
        try (PreparedStatement query =
                connection.prepareStatement("SELECT p.topic, p.topic_partition, p.next_offset, p.topic_id,"
                        + " coalesce(upper(p.lost) = p.next_offset, false), " + followed.topicsSql()
                        + " FROM tributary.subscription_position p WHERE p.subscription = "
                        + followed.subscriptionSql())) {
            query.setString(1, followed.name());
            Map<TopicPartition, Long> offsets = new HashMap<>();
            Set<String> topics = null;
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    String kafkasId = followed.topicId(row.getString(1));
                    boolean recreated = kafkasId != null && !kafkasId.equals(row.getString(4));
                    if (!recreated && !row.getBoolean(5)) {
                        offsets.put(new TopicPartition(row.getString(1), row.getInt(2)), row.getLong(3));
                    }
                    Array read = row.getArray(6);
                    topics = read == null ? null : Set.of((String[]) read.getArray());
                }
            }
            return new Look(offsets, topics, parked(connection));
        }
    }

    private Set<String> parked(Connection connection) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement("SELECT source FROM unnest(?::text[]) AS s (source)"
                + " WHERE EXISTS (SELECT 1 FROM tributary.parked_event p"
                + " WHERE p.subscription = " + followed.subscriptionSql() + " AND p.source = s.source)")) {
            query.setArray(1, connection.createArrayOf("text", sources.toArray()));
            query.setString(2, followed.name());
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
