package dev.tributary.outbox;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes a few events, as nearly every call has: unsequenced ones, or those of one aggregate. One statement with a parameter
 * for each value, for which both PostgreSQL and its driver take less time than for arrays and functions.
 */
final class WriteFew {
    /** A statement for each number of events is prepared, and kept, on each connection. */
    static final int EVENTS_MAX = 16;

    private static final FewSql UNSEQUENCED = FewSql.unsequenced();
    private static final String LAST =
            "SELECT sequence FROM tributary.aggregate WHERE aggregate_type = ? AND aggregate_id = ?";

    private WriteFew() {}

    static void unsequenced(Connection connection, List<PreparedEvent> events) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(UNSEQUENCED.of(events.size()))) {
            int parameter = 0;
            for (PreparedEvent event : events) {
                insert.setObject(++parameter, event.id());
                insert.setString(++parameter, event.event().aggregateType());
                insert.setString(++parameter, event.event().aggregateId());
                parameter = setContent(insert, parameter, event);
            }
            insert.executeUpdate();
        }
    }

    /**
     * Numbers the events of one aggregate in list order.
     *
     * @param expectedLast the sequence that the aggregate must be at, 0 for one without events, null where any will do
     * @return the sequence that it was at, or, writing nothing, -1 - (the sequence that it is at)
     */
    static long ofOneAggregate(
            Connection connection, EventTable table, @Nullable Long expectedLast, List<PreparedEvent> events)
            throws SQLException {
        return expectedLast == null
                ? next(connection, table, events)
                : expecting(connection, table, expectedLast, events);
    }

    private static long next(Connection connection, EventTable table, List<PreparedEvent> events) throws SQLException {
        try (PreparedStatement write = connection.prepareStatement(table.insert(null, events.size()))) {
            setAll(write, null, events);
            try (ResultSet head = write.executeQuery()) {
                head.next();
                return head.getLong(1) - events.size();
            }
        }
    }

    private static long expecting(
            Connection connection, EventTable table, long expectedLast, List<PreparedEvent> events)
            throws SQLException {
        while (true) {
            try (PreparedStatement write = connection.prepareStatement(table.insert(expectedLast, events.size()))) {
                setAll(write, expectedLast, events);
                if (write.executeUpdate() > 0) {
                    return expectedLast;
                }
            }
            long actual = actual(connection, events.get(0).event());
            if (actual != expectedLast) {
                return -1 - actual;
            }
            // Somebody has just brought it to where it is expected
        }
    }

    private static void setAll(PreparedStatement write, @Nullable Long expectedLast, List<PreparedEvent> events)
            throws SQLException {
        NewEvent first = events.get(0).event();
        write.setString(1, first.aggregateType());
        write.setString(2, first.aggregateId());
        int parameter = 2;
        if (expectedLast != null && expectedLast > 0) {
            write.setLong(++parameter, expectedLast);
        }
        for (PreparedEvent event : events) {
            write.setObject(++parameter, event.id());
            parameter = setContent(write, parameter, event);
        }
    }

    private static int setContent(PreparedStatement statement, int parametersBefore, PreparedEvent event)
            throws SQLException {
        statement.setString(parametersBefore + 1, event.type());
        statement.setString(parametersBefore + 2, event.contentType());
        statement.setBytes(parametersBefore + 3, event.payload());
        statement.setString(parametersBefore + 4, event.headers());
        return parametersBefore + 4;
    }

    /** With a snapshot of its own, which sees what the writer that we waited for has committed. */
    private static long actual(Connection connection, NewEvent event) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(LAST)) {
            query.setString(1, event.aggregateType());
            query.setString(2, event.aggregateId());
            try (ResultSet head = query.executeQuery()) {
                return head.next() ? head.getLong(1) : 0;
            }
        }
    }
}
