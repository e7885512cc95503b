package dev.tributary.consumer;

import java.sql.PreparedStatement;
import java.sql.SQLException;

/** What belongs to one aggregate, as one subscription sees it, in the tables that name both. */
final class OfAggregate {
    static final String WHERE = " WHERE subscription = ? AND source = ? AND aggregate_type = ? AND aggregate_id = ?";

    private OfAggregate() {}

    /** The parameters of {@link #WHERE}. */
    static void set(PreparedStatement statement, int first, String subscription, Aggregate aggregate)
            throws SQLException {
        statement.setString(first, subscription);
        statement.setString(first + 1, aggregate.source());
        statement.setString(first + 2, aggregate.type());
        statement.setString(first + 3, aggregate.id());
    }
}
