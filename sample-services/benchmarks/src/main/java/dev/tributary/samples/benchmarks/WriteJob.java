package dev.tributary.samples.benchmarks;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.LongStream;

/** What one transaction is to do: insert a business row, and announce events of one aggregate. */
record WriteJob(int aggregate, List<OrderEvent> events) {
    static final String AGGREGATE_TYPE = "order";

    private static final String BUSINESS_ROW =
            "INSERT INTO purchase (order_id, customer, total_cents) VALUES (?, ?, ?)";

    static WriteJob of(int aggregate, long number, int events) {
        return new WriteJob(
                aggregate,
                LongStream.range(number, number + events)
                        .mapToObj(n -> OrderEvent.of(aggregate, n))
                        .toList());
    }

    static String aggregateId(int aggregate) {
        return "order-" + aggregate;
    }

    String aggregateId() {
        return aggregateId(aggregate);
    }

    /** The same for all writers. */
    void insertBusinessRow(Connection connection) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(BUSINESS_ROW)) {
            insert.setString(1, aggregateId());
            insert.setString(2, events.get(0).customer());
            insert.setLong(3, events.get(0).totalCents());
            insert.executeUpdate();
        }
    }
}
