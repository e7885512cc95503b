package dev.tributary.relay.source;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What services may do to the event tables, in an order that a seed decides: several transactions side by side, of which
 * some live long, some are rolled back, wholly or in part, some are prepared first; and all along the tables change. Used
 * by one thread.
 */
final class RandomWorkload implements AutoCloseable {
    private static final int CONNECTIONS = 4;
    private static final String[] TEXTS = {
        "", "a", "größe", "ключ", "型", "🗝️", "\"\\\t\n'", "x".repeat(300), "null", "-0"
    };

    private final EventsUnderTest database;
    private final Random random;
    private final List<Connection> connections = new ArrayList<>();
    private final List<String> prepared = new ArrayList<>();
    private final String name;
    private boolean hasExtra;
    private int number;

    RandomWorkload(EventsUnderTest database, long seed) throws SQLException {
        this.database = database;
        this.random = new Random(seed);
        this.name = database.config.name();
        for (int i = 0; i < CONNECTIONS; i++) {
            Connection connection = database.connect();
            connection.setAutoCommit(false);
            connections.add(connection);
        }
    }

    /** One thing that somebody does. */
    void step() throws SQLException {
        Connection connection = connections.get(random.nextInt(CONNECTIONS));
        switch (random.nextInt(20)) {
            case 0, 1, 2, 3, 4, 5 -> events(connection, 1 + random.nextInt(3));
            case 6 -> events(connection, random.nextInt(200));
            case 7 -> sameLsn(connection);
            case 8 -> backToSavepoint(connection);
            case 9, 10, 11, 12 -> connection.commit();
            case 13 -> connection.rollback();
            case 14 -> prepare(connection);
            case 15 -> endPrepared();
            case 16 -> changeTables();
            case 17 -> execute(connection, "INSERT INTO other SELECT generate_series(1, " + random.nextInt(500) + ")");
            case 18 -> database.execute("DELETE FROM tributary.outbox WHERE random() < 0.1");
            default -> switchSegmentAtTimes();
        }
    }

    private void events(Connection connection, int count) throws SQLException {
        boolean stored = random.nextInt(4) == 0;
        String table = stored ? "event_store" : "outbox";
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO tributary." + table
                + " (id, aggregate_type, aggregate_id, sequence, type, content_type, payload, headers, occurred_at)"
                + " VALUES (?, ?, ?, ?, ?, ?, ?, ?::json, ?)")) {
            for (int i = 0; i < count; i++) {
                insert.setObject(1, new UUID(random.nextLong(), random.nextLong()));
                insert.setString(2, "type" + random.nextInt(3));
                insert.setString(3, text() + (stored ? ++number : random.nextInt(10)));
                if (stored || random.nextBoolean()) {
                    insert.setLong(4, stored ? 1 : random.nextLong());
                } else {
                    insert.setNull(4, Types.BIGINT);
                }
                insert.setString(5, text());
                insert.setString(6, text());
                insert.setBytes(7, payload());
                insert.setString(8, headers());
                insert.setTimestamp(9, time());
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    private String text() {
        return TEXTS[random.nextInt(TEXTS.length)];
    }

    private byte[] payload() {
        int size = random.nextInt(20) == 0 ? random.nextInt(300_000) : random.nextInt(500);
        byte[] payload = new byte[size];
        if (random.nextBoolean()) {
            random.nextBytes(payload);
        } else {
            java.util.Arrays.fill(payload, (byte) random.nextInt()); // which PostgreSQL compresses
        }
        return payload;
    }

    private @Nullable String headers() {
        return switch (random.nextInt(5)) {
            case 0 -> null;
            case 1 -> "{}";
            case 2 -> "{ \"n\" : 1.50, \"b\":true, \"o\":{\"a\":[null]}, \"traceparent\":\"00-x\" }";
            default -> "{\"" + random.nextInt(100) + "\": \"é\\u00e9🗝 \\\"\\\\\"}";
        };
    }

    private Timestamp time() {
        long seconds = random.nextInt(3) == 0 ? random.nextLong(-2_000_000_000L, 7_000_000_000L) : 1_700_000_000L;
        return Timestamp.from(Instant.ofEpochSecond(seconds, random.nextInt(1_000_000) * 1_000L));
    }

    private void sameLsn(Connection connection) throws SQLException {
        execute(
                connection,
                "INSERT INTO tributary.outbox SELECT gen_random_uuid(), 'type0', 'many' || i, NULL, 'a.v1', 'x',"
                        + " convert_to(i::text, 'UTF8'), NULL, now() FROM generate_series(1, " + random.nextInt(300)
                        + ") i");
    }

    private void backToSavepoint(Connection connection) throws SQLException {
        Savepoint savepoint = connection.setSavepoint();
        events(connection, 1 + random.nextInt(5));
        if (random.nextBoolean()) {
            connection.rollback(savepoint);
        } else {
            connection.releaseSavepoint(savepoint);
        }
    }

    private void prepare(Connection connection) throws SQLException {
        events(connection, 1);
        String id = name + "-" + ++number;
        execute(connection, "PREPARE TRANSACTION '" + id + "'");
        connection.commit();
        prepared.add(id);
    }

    private void endPrepared() throws SQLException {
        if (!prepared.isEmpty()) {
            String id = prepared.remove(random.nextInt(prepared.size()));
            database.execute((random.nextInt(4) == 0 ? "ROLLBACK" : "COMMIT") + " PREPARED '" + id + "'");
        }
    }

    /** Only while nobody else is at them, since a table that changes is locked. */
    private void changeTables() throws SQLException {
        for (Connection connection : connections) {
            connection.commit();
        }
        while (!prepared.isEmpty()) {
            endPrepared();
        }
        switch (random.nextInt(4)) {
            case 0 -> {
                database.execute("ALTER TABLE tributary.outbox "
                        + (hasExtra ? "DROP COLUMN extra" : "ADD COLUMN extra text DEFAULT 'é'"));
                hasExtra = !hasExtra;
            }
            case 1 ->
                database.execute("CREATE TABLE t" + ++number + " (n int); INSERT INTO t" + number + " VALUES (1)");
            case 2 -> database.execute("ALTER TABLE other ADD COLUMN c" + ++number + " text DEFAULT 'x'");
            default -> {
                // In the middle of a transaction that has events before and behind
                Connection connection = connections.get(0);
                events(connection, 2);
                execute(connection, "ALTER TABLE tributary.event_store ADD COLUMN c" + ++number + " int");
                events(connection, 3);
                connection.commit();
            }
        }
    }

    private void switchSegmentAtTimes() throws SQLException {
        if (random.nextInt(10) == 0) {
            database.execute("SELECT pg_switch_wal()");
        }
    }

    /** Commits what is open, and then an event with this id. */
    void end(UUID last) throws SQLException {
        for (Connection connection : connections) {
            connection.commit();
        }
        while (!prepared.isEmpty()) {
            endPrepared();
        }
        database.execute("INSERT INTO tributary.outbox (id, aggregate_type, aggregate_id, type, content_type, payload,"
                + " occurred_at) VALUES ('" + last + "', 'type0', 'last', 'a', 'b', '', now())");
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Override
    public void close() throws SQLException {
        for (Connection connection : connections) {
            connection.close();
        }
        for (String id : prepared) {
            database.execute("ROLLBACK PREPARED '" + id + "'");
        }
    }
}
