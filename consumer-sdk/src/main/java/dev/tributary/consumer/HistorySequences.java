package dev.tributary.consumer;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Set;

/**
 * The last sequence of each aggregate in replayed topics, for the live partitions of one process: their first events have to go
 * on there. All of history together, because nobody knows which live partition an aggregate will come from; in memory once,
 * however many partitions ask. Thread-safe.
 */
final class HistorySequences {
    static final LastSequences NONE = new LastSequences();

    private final String subscription;
    private final Set<String> topics;
    private LastSequences known = NONE;
    private String state = "";

    HistorySequences(String subscription, Set<String> topics) {
        this.subscription = subscription;
        this.topics = topics;
    }

    /** What the database has; read again only if that has changed, as after a rebuild. Nobody may change the result. */
    synchronized LastSequences load(Connection connection) throws SQLException {
        String found = read(
                connection,
                "SELECT coalesce(md5(string_agg(topic || topic_partition || ' ' || row_number || ' ' || xmin::text, ','"
                        + " ORDER BY topic, topic_partition, row_number)), '')",
                "",
                row -> row.next() ? row.getString(1) : "");
        if (!found.equals(state)) {
            known = read(connection, "SELECT data", " ORDER BY topic, topic_partition, row_number", row -> {
                LastSequences all = new LastSequences();
                while (row.next()) {
                    all.decode(row.getBytes(1));
                }
                return all;
            });
            state = found;
        }
        return known;
    }

    private interface Reader<T> {
        T read(ResultSet rows) throws SQLException;
    }

    private <T> T read(Connection connection, String what, String order, Reader<T> reader) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                what + " FROM tributary.aggregate_sequence WHERE subscription = ? AND topic = ANY (?)" + order)) {
            query.setString(1, subscription);
            query.setArray(2, connection.createArrayOf("text", topics.toArray()));
            try (ResultSet rows = query.executeQuery()) {
                return reader.read(rows);
            }
        }
    }
}
