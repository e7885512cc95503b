package dev.tributary.outbox;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Appends an aggregate's events in one round trip; in a second one a conflict is told from what the aggregate is at. */
final class AppendEvents {
    private static final String APPEND = "SELECT tributary.append_events(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

    private AppendEvents() {}

    /** Returns what {@code tributary.advance_aggregate} does. */
    static long append(
            Connection connection,
            @Nullable Long expectedLast,
            List<PreparedEvent> events,
            @Nullable String snapshotType,
            byte @Nullable [] snapshot)
            throws SQLException {
        if (snapshot != null || !WriteFew.takes(events)) {
            return many(connection, expectedLast, events, snapshotType, snapshot);
        }
        return expectedLast == null
                ? WriteFew.nextAndTell(connection, EventTable.EVENT_STORE, events)
                : WriteFew.expecting(connection, EventTable.EVENT_STORE, expectedLast, events);
    }

    private static long many(
            Connection connection,
            @Nullable Long expectedLast,
            List<PreparedEvent> events,
            @Nullable String snapshotType,
            byte @Nullable [] snapshot)
            throws SQLException {
        try (PreparedStatement append = connection.prepareStatement(APPEND)) {
            NewEvent first = events.get(0).event();
            append.setString(1, first.aggregateType());
            append.setString(2, first.aggregateId());
            append.setObject(3, expectedLast, Types.BIGINT);
            setArray(append, 4, "uuid", events, PreparedEvent::id);
            setArray(append, 5, "text", events, PreparedEvent::type);
            setArray(append, 6, "text", events, PreparedEvent::contentType);
            byte[][] payloads = events.stream().map(PreparedEvent::payload).toArray(byte[][]::new);
            append.setArray(7, connection.createArrayOf("bytea", payloads));
            setArray(append, 8, "text", events, PreparedEvent::headers);
            append.setString(9, snapshotType);
            append.setBytes(10, snapshot);
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
