package dev.tributary.outbox;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Appends an aggregate's events in one round trip. */
final class AppendEvents {
    private static final String ONE = "SELECT tributary.append_event(?, ?, ?, ?, ?, ?, ?, ?::json)";
    private static final String MANY = "SELECT tributary.append_events(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

    private AppendEvents() {}

    /** Returns what {@code tributary.advance_aggregate} does. */
    static long append(
            Connection connection,
            @Nullable Long expectedLast,
            List<PreparedEvent> events,
            @Nullable String snapshotType,
            byte @Nullable [] snapshot)
            throws SQLException {
        boolean one = events.size() == 1 && snapshot == null;
        try (PreparedStatement append = connection.prepareStatement(one ? ONE : MANY)) {
            PreparedEvent first = events.get(0);
            append.setString(1, first.event().aggregateType());
            append.setString(2, first.event().aggregateId());
            append.setObject(3, expectedLast, Types.BIGINT);
            if (one) {
                append.setObject(4, first.id());
                append.setString(5, first.type());
                append.setString(6, first.contentType());
                append.setBytes(7, first.payload());
                append.setString(8, first.headers());
            } else {
                setArray(append, 4, "uuid", events, PreparedEvent::id);
                setArray(append, 5, "text", events, PreparedEvent::type);
                setArray(append, 6, "text", events, PreparedEvent::contentType);
                byte[][] payloads = events.stream().map(PreparedEvent::payload).toArray(byte[][]::new);
                append.setArray(7, connection.createArrayOf("bytea", payloads));
                setArray(append, 8, "text", events, PreparedEvent::headers);
                append.setString(9, snapshotType);
                append.setBytes(10, snapshot);
            }
            try (ResultSet answer = append.executeQuery()) {
                answer.next();
                return answer.getLong(1);
            }
        }
    }

    private static void setArray(
            PreparedStatement statement,
            int index,
            String type,
            List<PreparedEvent> events,
            Function<PreparedEvent, @Nullable Object> column)
            throws SQLException {
        Object[] values = events.stream().map(column).toArray();
        statement.setArray(index, statement.getConnection().createArrayOf(type, values));
    }
}
