package dev.tributary.outbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/** Writes events in one round trip, in the way that costs least. */
final class WriteEvents {
    private WriteEvents() {}

    /** @throws SequenceConflictException if an event would not get the number that it is expected to; nothing is written then */
    static void write(Connection connection, List<PreparedEvent> events) throws SQLException {
        boolean few = WriteFew.takes(events);
        if (few && areUnsequenced(events)) {
            WriteFew.unsequenced(connection, events);
        } else if (few && areOfOneAggregate(events)) {
            ofOneAggregate(connection, events);
        } else {
            new WriteMany(events).write(connection);
        }
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

    private static void ofOneAggregate(Connection connection, List<PreparedEvent> events) throws SQLException {
        AggregateHead head =
                new AggregateHead(AggregateHead.Key.of(events.get(0).event()));
        for (PreparedEvent event : events) {
            head.add(event.event());
        }
        Long expectedLast = head.expectedLast();
        if (expectedLast == null) {
            WriteFew.next(connection, EventTable.OUTBOX, events);
            return;
        }
        long last = WriteFew.expecting(connection, EventTable.OUTBOX, expectedLast, events);
        if (last < 0) {
            throw head.conflict(last);
        }
    }
}
