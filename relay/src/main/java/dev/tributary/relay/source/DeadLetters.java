package dev.tributary.relay.source;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.SourceDatabase.Aggregate;
import dev.tributary.relay.source.SourceDatabase.SetAside;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Events set aside, in the source's own database: there is room for what is too large for Kafka, and an aggregate is
 * released in the transaction that publishes its events anew.
 */
final class DeadLetters {
    private final SourceConfig source;
    private final Connection connection;

    /** @param connection in auto-commit mode */
    DeadLetters(SourceConfig source, Connection connection) {
        this.source = source;
        this.connection = connection;
    }

    Set<Aggregate> parkedBefore(Position position) throws SQLException {
        Set<Aggregate> parked = new HashSet<>();
        if (!isThere()) {
            return parked;
        }
        try (PreparedStatement query =
                connection.prepareStatement("SELECT DISTINCT aggregate_type, aggregate_id FROM tributary.dead_letter"
                        + " WHERE source = ? AND released_at IS NULL AND position < ?")) {
            query.setString(1, source.name());
            query.setString(2, position.toString());
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    parked.add(new Aggregate(rows.getString(1), rows.getString(2)));
                }
            }
        }
        return parked;
    }

    List<SetAside> from(Position first) throws SQLException {
        List<SetAside> events = new ArrayList<>();
        if (!isThere()) {
            return events;
        }
        try (PreparedStatement query =
                connection.prepareStatement("SELECT id, position, aggregate_type, aggregate_id, released_at IS NOT NULL"
                        + " FROM tributary.dead_letter WHERE source = ? AND position >= ?"
                        + " ORDER BY position")) {
            query.setString(1, source.name());
            query.setString(2, first.toString());
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    events.add(new SetAside(
                            rows.getObject(1, UUID.class),
                            Position.parse(rows.getString(2)),
                            new Aggregate(rows.getString(3), rows.getString(4)),
                            rows.getBoolean(5)));
                }
            }
        }
        return events;
    }

    private boolean isThere() throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT to_regclass('tributary.dead_letter') IS NOT NULL")) {
            row.next();
            if (!row.getBoolean(1) && source.poison() == SourceConfig.Poison.DEAD_LETTER) {
                throw new RelayException.Stopped(
                        source.key("poison") + " is dead-letter, but table tributary.dead_letter does not exist",
                        "run `init`, then restart the relay",
                        null);
            }
            return row.getBoolean(1);
        }
    }

    boolean park(OutboxEvent event, @Nullable String reason) throws SQLException {
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO tributary.dead_letter (source, position,"
                        + " id, aggregate_type, aggregate_id, sequence, type, content_type, payload, headers, occurred_at, reason)"
                        + " SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::json, ?, ?"
                        // The log has a release before other sessions see it: whose row is locked is waited for
                        + " WHERE ? OR EXISTS (SELECT FROM tributary.dead_letter WHERE source = ?"
                        + " AND aggregate_type = ? AND aggregate_id = ? AND released_at IS NULL FOR SHARE)"
                        // Touched all the same, so that one that is there already counts
                        + " ON CONFLICT (source, position) DO UPDATE SET position = excluded.position")) {
            String aggregateId = new String(event.aggregateId(), UTF_8);
            insert.setString(1, source.name());
            insert.setString(2, event.position().toString());
            insert.setObject(3, event.id());
            insert.setString(4, event.aggregateType());
            insert.setString(5, aggregateId);
            insert.setObject(6, event.sequence() == 0 ? null : event.sequence());
            insert.setString(7, new String(event.type(), UTF_8));
            insert.setString(8, new String(event.contentType(), UTF_8));
            insert.setBytes(9, event.payload());
            insert.setString(10, event.headers() == null ? null : new String(event.headers(), UTF_8));
            insert.setObject(11, event.occurredAt().atOffset(ZoneOffset.UTC));
            insert.setString(12, reason);
            insert.setBoolean(13, reason != null);
            insert.setString(14, source.name());
            insert.setString(15, event.aggregateType());
            insert.setString(16, aggregateId);
            return insert.executeUpdate() == 1;
        }
    }
}
