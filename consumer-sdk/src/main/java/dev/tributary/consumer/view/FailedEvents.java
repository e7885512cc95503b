package dev.tributary.consumer.view;

import dev.tributary.consumer.view.AuditReport.FailedEvent;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** What a rebuild has parked by itself, and not because it is parked in the live view. */
final class FailedEvents {
    private static final int FAILURES_MAX = 1_000;

    private FailedEvents() {}

    /**
     * Those that are at fault themselves, by time; later ones of their aggregates are counted with them.
     *
     * @param excused the subscription whose parked aggregates do not count; empty for none
     */
    static List<FailedEvent> read(Connection connection, String rebuild, String excused) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT event_id, type, source, aggregate_type || '/' || aggregate_id, position, topic, topic_partition,"
                        + " record_offset, split_part(error, E'\\n', 1), behind FROM (SELECT p.*, count(*) OVER"
                        + " (PARTITION BY source, aggregate_type, aggregate_id) - 1 AS behind FROM tributary.parked_event p"
                        + " WHERE subscription = ?) p WHERE error IS NOT NULL AND NOT EXISTS (SELECT FROM tributary.parked_event l"
                        + " WHERE l.subscription = ? AND (l.source, l.aggregate_type, l.aggregate_id)"
                        + " = (p.source, p.aggregate_type, p.aggregate_id)) ORDER BY park_order LIMIT ?")) {
            query.setString(1, rebuild);
            query.setString(2, excused);
            query.setInt(3, FAILURES_MAX);
            List<FailedEvent> failures = new ArrayList<>();
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    failures.add(new FailedEvent(
                            new EventTrace(
                                    row.getString(1),
                                    row.getString(2),
                                    row.getString(3),
                                    row.getString(4),
                                    row.getString(5),
                                    row.getString(6),
                                    row.getInt(7),
                                    row.getLong(8)),
                            row.getString(9),
                            row.getLong(10)));
                }
            }
            return failures;
        }
    }
}
