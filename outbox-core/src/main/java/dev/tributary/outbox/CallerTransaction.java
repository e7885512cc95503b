package dev.tributary.outbox;

import dev.tributary.outbox.wire.RebuildableConnection;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;

/** What every way of writing asks of the connection that it is lent, and says of what the database answers. */
final class CallerTransaction {
    /** undefined_table, undefined_function, invalid_schema_name. */
    private static final Set<String> MISSING_SCHEMA = Set.of("42P01", "42883", "3F000");

    private CallerTransaction() {}

    /** @throws EventRejectedException if it is no transaction that events may be written in */
    static void require(Connection connection) throws SQLException {
        if (connection.getAutoCommit()) {
            throw new EventRejectedException("the connection is in auto-commit mode, where events and data could not"
                    + " be committed together: call setAutoCommit(false) first, change the data, publish, commit");
        }
        if (connection.isWrapperFor(RebuildableConnection.class)) {
            throw new EventRejectedException(
                    "this is the transaction of a view's handler, which runs again whenever the"
                            + " view is rebuilt, and would publish again: publish from the view's effects, which run once");
        }
    }

    /** @throws OutboxException if it is our tables or functions that are missing */
    static SQLException named(SQLException e) {
        if (e.getSQLState() != null && MISSING_SCHEMA.contains(e.getSQLState())) {
            throw new OutboxException(
                    "Tributary's tables or functions are missing in this database: run `relay init`, or add"
                            + " classpath:" + OutboxSchema.FLYWAY_LOCATION + " to Flyway's locations",
                    e);
        }
        return e;
    }
}
