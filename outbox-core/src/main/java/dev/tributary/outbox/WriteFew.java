package dev.tributary.outbox;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;

/**
 * Writes a few events, as nearly every call has: unsequenced ones, or those of one aggregate, all with the same content type and
 * headers. One statement with a parameter for each value, for which both PostgreSQL and its driver take less time than for
 * arrays and functions; what the events have in common is one parameter for all.
 */
final class WriteFew {
    /** A statement for each number of events is prepared, and kept, on each connection. */
    static final int EVENTS_MAX = 16;

    private static final FewSql UNSEQUENCED = FewSql.unsequenced();
    private static final String LAST =
            "SELECT sequence FROM tributary.aggregate WHERE aggregate_type = ? AND aggregate_id = ?";

    private WriteFew() {}

    /** Whether it takes these, as far as their number and their content tell. */
    static boolean takes(List<PreparedEvent> events) {
        PreparedEvent first = events.get(0);
        for (PreparedEvent event : events) {
            if (!event.contentType().equals(first.contentType()) || !Objects.equals(event.headers(), first.headers())) {
                return false;
            }
        }
        return events.size() <= EVENTS_MAX;
    }

    static void unsequenced(Connection connection, List<PreparedEvent> events) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(UNSEQUENCED.of(events.size()))) {
            int parameter = setCommon(insert, 0, events);
            for (PreparedEvent event : events) {
                insert.setObject(++parameter, event.id());
                insert.setString(++parameter, event.event().aggregateType());
                insert.setString(++parameter, event.event().aggregateId());
                insert.setString(++parameter, event.type());
                insert.setBytes(++parameter, event.payload());
            }
            requireAll(insert.executeUpdate(), events);
        }
    }

    /** Numbers the events of one aggregate in list order, whatever it is at. */
    static void next(Connection connection, EventTable table, List<PreparedEvent> events) throws SQLException {
        try (PreparedStatement write = connection.prepareStatement(table.next(events.size()))) {
            setAll(write, 0, events);
            requireAll(write.executeUpdate(), events);
        }
    }

    /** The same, and tells the sequence that the aggregate was at. */
    static long nextAndTell(Connection connection, EventTable table, List<PreparedEvent> events) throws SQLException {
        try (PreparedStatement write = connection.prepareStatement(table.nextAndTell(events.size()))) {
            setAll(write, 0, events);
            try (ResultSet head = write.executeQuery()) {
                head.next();
                requireAll(head.getInt(2), events);
                return head.getLong(1) - events.size();
            }
        }
    }

    /**
     * Numbers the events of one aggregate in list order if it is where it is expected to be.
     *
     * @param last the sequence that the aggregate must be at, 0 for one without events
     * @return the sequence that it was at, or, writing nothing, -1 - (the sequence that it is at)
     */
    static long expecting(Connection connection, EventTable table, long last, List<PreparedEvent> events)
            throws SQLException {
        while (true) {
            try (PreparedStatement write = connection.prepareStatement(table.expecting(last, events.size()))) {
                setAll(write, last, events);
                int written = write.executeUpdate();
                if (written > 0) {
                    requireAll(written, events);
                    return last;
                }
            }
            NewEvent event = events.get(0).event();
            // With a snapshot of its own, which sees what the writer that we waited for has committed
            long actual = last(connection, event.aggregateType(), event.aggregateId());
            if (actual != last) {
                return -1 - actual;
            }
            // Somebody has just brought it to where it is expected
        }
    }

    /** The sequence that an aggregate is at, 0 for one without events. */
    static long last(Connection connection, String aggregateType, String aggregateId) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(LAST)) {
            query.setString(1, aggregateType);
            query.setString(2, aggregateId);
            try (ResultSet head = query.executeQuery()) {
                return head.next() ? head.getLong(1) : 0;
            }
        }
    }

    /** What a trigger of somebody's keeps out would be lost without a word. */
    private static void requireAll(int written, List<PreparedEvent> events) {
        if (written != events.size()) {
            throw new OutboxException("the database has written " + written + " of " + events.size()
                    + " events: look for a trigger or a rule on the table of events that keeps rows out, and drop it."
                    + " The transaction must not be committed");
        }
    }

    private static void setAll(PreparedStatement write, long expectedLast, List<PreparedEvent> events)
            throws SQLException {
        NewEvent first = events.get(0).event();
        write.setString(1, first.aggregateType());
        write.setString(2, first.aggregateId());
        int parameter = 2;
        if (expectedLast > 0) {
            write.setLong(++parameter, expectedLast);
        }
        parameter = setCommon(write, parameter, events);
        for (PreparedEvent event : events) {
            write.setObject(++parameter, event.id());
            write.setString(++parameter, event.type());
            write.setBytes(++parameter, event.payload());
        }
    }

    private static int setCommon(PreparedStatement statement, int parametersBefore, List<PreparedEvent> events)
            throws SQLException {
        PreparedEvent any = events.get(0);
        statement.setString(parametersBefore + 1, any.contentType());
        statement.setString(parametersBefore + 2, any.headers());
        return parametersBefore + 2;
    }
}
