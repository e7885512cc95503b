package dev.tributary.samples.benchmarks;

import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;

/** What people write by hand, each time with as few round trips as there can be: several events are one INSERT. */
final class HandWriter implements EventWriter {
    /** As the library has it, so that JSON costs both the same. */
    private static final ObjectWriter JSON =
            JsonMapper.builder().findAndAddModules().build().writer();

    private final DataSource pool;
    private final Events events;

    /** What follows the business row. */
    private interface Events {
        void write(Connection connection, WriteJob job) throws Exception;
    }

    private HandWriter(DataSource pool, Events events) {
        this.pool = pool;
        this.events = events;
    }

    static HandWriter withoutEvent(DataSource pool) {
        return new HandWriter(pool, (connection, job) -> {});
    }

    /** One more INSERT. */
    static HandWriter plain(DataSource pool) {
        return new HandWriter(pool, (connection, job) -> insert(connection, job, 0));
    }

    /** Numbers the events by a counter for each aggregate, whose row keeps others away until the commit. */
    static HandWriter numbered(DataSource pool) {
        return new HandWriter(pool, (connection, job) -> insert(connection, job, next(connection, job)));
    }

    /** Into the table that Debezium's event router reads, as its documentation has it; left to somebody else to empty. */
    static HandWriter debezium(DataSource pool) {
        return new HandWriter(pool, (connection, job) -> insertForDebezium(connection, job));
    }

    /** The same, and deletes at once, so that nobody has to empty it: the log has the INSERT. */
    static HandWriter debeziumDeleted(DataSource pool) {
        return new HandWriter(pool, (connection, job) -> {
            UUID[] ids = insertForDebezium(connection, job);
            try (PreparedStatement delete =
                    connection.prepareStatement("DELETE FROM debezium_outbox WHERE id = ANY (?)")) {
                delete.setArray(1, connection.createArrayOf("uuid", ids));
                delete.executeUpdate();
            }
        });
    }

    @Override
    public void write(WriteJob job) throws Exception {
        try (Connection connection = pool.getConnection()) {
            job.insertBusinessRow(connection);
            events.write(connection, job);
            connection.commit();
        }
    }

    private static long next(Connection connection, WriteJob job) throws SQLException {
        try (PreparedStatement count = connection.prepareStatement(
                "UPDATE hand_counter SET last = last + ? WHERE aggregate_id = ? RETURNING last")) {
            count.setInt(1, job.events().size());
            count.setString(2, job.aggregateId());
            try (ResultSet counted = count.executeQuery()) {
                counted.next();
                return counted.getLong(1) - job.events().size() + 1;
            }
        }
    }

    private static void insert(Connection connection, WriteJob job, long sequence) throws Exception {
        List<OrderEvent> events = job.events();
        String sql = "INSERT INTO hand_outbox (id, aggregate_type, aggregate_id, sequence, type, payload, created_at)"
                + " VALUES " + rows("(?, ?, ?, ?, ?, ?, now())", events.size());
        try (PreparedStatement insert = connection.prepareStatement(sql)) {
            int parameter = 1;
            for (int i = 0; i < events.size(); i++) {
                insert.setObject(parameter++, UUID.randomUUID());
                insert.setString(parameter++, WriteJob.AGGREGATE_TYPE);
                insert.setString(parameter++, job.aggregateId());
                insert.setLong(parameter++, sequence + i);
                insert.setString(parameter++, OrderEvent.NAME);
                insert.setBytes(parameter++, JSON.writeValueAsBytes(events.get(i)));
            }
            insert.executeUpdate();
        }
    }

    private static UUID[] insertForDebezium(Connection connection, WriteJob job) throws Exception {
        List<OrderEvent> events = job.events();
        UUID[] ids = new UUID[events.size()];
        String sql = "INSERT INTO debezium_outbox (id, aggregatetype, aggregateid, type, payload) VALUES "
                + rows("(?, ?, ?, ?, ?::jsonb)", events.size());
        try (PreparedStatement insert = connection.prepareStatement(sql)) {
            int parameter = 1;
            for (int i = 0; i < ids.length; i++) {
                ids[i] = UUID.randomUUID();
                insert.setObject(parameter++, ids[i]);
                insert.setString(parameter++, WriteJob.AGGREGATE_TYPE);
                insert.setString(parameter++, job.aggregateId());
                insert.setString(parameter++, OrderEvent.NAME);
                insert.setString(parameter++, JSON.writeValueAsString(events.get(i)));
            }
            insert.executeUpdate();
        }
        return ids;
    }

    private static String rows(String row, int count) {
        return (row + ", ").repeat(count - 1) + row;
    }
}
