package dev.tributary.outbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Writes events in one round trip, in the way that costs least. */
final class WriteEvents {
    private WriteEvents() {}

    /** Returns the events' sequences in list order, null for unsequenced ones. */
    static List<@Nullable Long> write(Connection connection, List<PreparedEvent> events) throws SQLException {
        if (events.size() <= WriteFew.EVENTS_MAX) {
            if (areUnsequenced(events)) {
                WriteFew.unsequenced(connection, events);
                return Collections.nCopies(events.size(), null);
            }
            if (areOfOneAggregate(events)) {
                return ofOneAggregate(connection, events);
            }
        }
        return new WriteMany(events).write(connection);
    }

    private static boolean areUnsequenced(List<PreparedEvent> events) {
        for (PreparedEvent event : events) {
            if (event.event().sequenced()) {
                return false;
            }
        }
        return true;
    }

    private static boolean areOfOneAggregate(List<PreparedEvent> events) {
        NewEvent first = events.get(0).event();
        for (PreparedEvent event : events) {
            if (!event.event().sequenced()
                    || !event.event().aggregateId().equals(first.aggregateId())
                    || !event.event().aggregateType().equals(first.aggregateType())) {
                return false;
            }
        }
        return true;
    }

    private static List<@Nullable Long> ofOneAggregate(Connection connection, List<PreparedEvent> events)
            throws SQLException {
        AggregateHead head =
                new AggregateHead(AggregateHead.Key.of(events.get(0).event()));
        for (PreparedEvent event : events) {
            head.add(event.event());
        }
        long last = WriteFew.ofOneAggregate(connection, EventTable.OUTBOX, head.expectedLast(), events);
        List<@Nullable Long> sequences = new ArrayList<>(events.size());
        for (int ahead = 1; ahead <= events.size(); ahead++) {
            NewEvent event = events.get(ahead - 1).event();
            Long expected = event.expectedSequence();
            if (last < 0 && expected != null) {
                throw AggregateHead.conflict(event, expected, last, ahead);
            }
            sequences.add(last + ahead);
        }
        return sequences;
    }
}
