package dev.tributary.outbox;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import org.jspecify.annotations.Nullable;

/** Writes a single event: by far the most frequent call, and cheaper without arrays. */
final class WriteOne {
    private static final String SEQUENCED = "SELECT tributary.write_event(?, ?, ?, ?, ?, ?, ?::json, ?)";
    private static final String UNSEQUENCED = "INSERT INTO tributary.outbox"
            + " (id, aggregate_type, aggregate_id, type, content_type, payload, headers, occurred_at)"
            + " VALUES (?, ?, ?, ?, ?, ?, ?::json, statement_timestamp())";

    private WriteOne() {}

    static @Nullable Long write(Connection connection, PreparedEvent event) throws SQLException {
        if (event.event().sequenced()) {
            return sequenced(connection, event);
        }
        try (PreparedStatement insert = connection.prepareStatement(UNSEQUENCED)) {
            setRow(insert, event);
            insert.executeUpdate();
            return null;
        }
    }

    private static Long sequenced(Connection connection, PreparedEvent event) throws SQLException {
        Long expected = event.event().expectedSequence();
        try (PreparedStatement write = connection.prepareStatement(SEQUENCED)) {
            setRow(write, event);
            write.setObject(8, expected == null ? null : expected - 1, Types.BIGINT);
            try (ResultSet result = write.executeQuery()) {
                result.next();
                long sequence = result.getLong(1);
                if (expected != null && sequence < 0) {
                    throw AggregateHead.conflict(event.event(), expected, sequence, 1);
                }
                return sequence;
            }
        }
    }

    private static void setRow(PreparedStatement statement, PreparedEvent event) throws SQLException {
        statement.setObject(1, event.id());
        statement.setString(2, event.event().aggregateType());
        statement.setString(3, event.event().aggregateId());
        statement.setString(4, event.type());
        statement.setString(5, event.contentType());
        statement.setBytes(6, event.payload());
        statement.setString(7, event.headers());
    }
}
