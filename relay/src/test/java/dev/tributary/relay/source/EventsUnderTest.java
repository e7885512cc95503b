package dev.tributary.relay.source;

import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.ChangeListener;
import dev.tributary.relay.flow.OutboxEvent;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.postgresql.replication.LogSequenceNumber;

/** A database with the event tables, a slot, and SQL to write to it. */
final class EventsUnderTest implements AutoCloseable {
    private final LocalPostgres postgres;
    SourceConfig config;

    EventsUnderTest(LocalPostgres postgres, SourceConfig.Engine engine) throws SQLException {
        this.postgres = postgres;
        String name = "e" + UUID.randomUUID().toString().substring(0, 8);
        config = new SourceConfig(
                name,
                postgres.createDatabase(name),
                LocalPostgres.USER,
                LocalPostgres.PASSWORD,
                engine,
                "${source}.${aggregate_type}",
                1);
        try (Connection connection = connect()) {
            OutboxSchema.apply(connection);
        }
        execute(
                "CREATE PUBLICATION tributary FOR TABLE tributary.outbox, tributary.event_store"
                        + " WITH (publish = 'insert', publish_via_partition_root = true)",
                "CREATE TABLE other (n int)");
        createSlot(config.slot());
    }

    void createSlot(String slot) throws SQLException {
        execute("SELECT pg_create_logical_replication_slot('" + slot + "', 'pgoutput')");
    }

    Connection connect() {
        return postgres.connect(config.url());
    }

    void execute(String... statements) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    /** SQL that writes {@code count} events of aggregates {@code label-1}, {@code label-2}, … */
    static String insert(String label, int count) {
        return "INSERT INTO tributary.outbox SELECT gen_random_uuid(), 'order', '" + label + "-' || i, NULL, 'a.v1',"
                + " 'application/json', convert_to('{\"n\":' || i || '}', 'UTF8'), NULL, now()"
                + " FROM generate_series(1, " + count + ") i";
    }

    static String insert(String label) {
        return insert(label, 1);
    }

    long slotLsn() throws SQLException {
        return lsn(
                "SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = '" + config.slot() + "'");
    }

    boolean isSlotFree() throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                var row = statement.executeQuery(
                        "SELECT active FROM pg_replication_slots WHERE slot_name = '" + config.slot() + "'")) {
            row.next();
            return !row.getBoolean(1);
        }
    }

    long walEnd() throws SQLException {
        return lsn("SELECT pg_current_wal_flush_lsn()::text");
    }

    private long lsn(String sql) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                var row = statement.executeQuery(sql)) {
            row.next();
            return LogSequenceNumber.valueOf(row.getString(1)).asLong();
        }
    }

    /** What has come, as {@link ChangeSource} hands it over. */
    static final class Received implements ChangeListener {
        final List<OutboxEvent> events = new ArrayList<>();
        /** Of transactions with events. */
        final List<Long> ends = new ArrayList<>();

        int commits;
        private int eventsBefore;

        @Override
        public void event(OutboxEvent event) {
            events.add(event);
        }

        @Override
        public void committed(long endLsn, Instant committedAt) {
            commits++;
            if (events.size() > eventsBefore) {
                ends.add(endLsn);
                eventsBefore = events.size();
            }
        }

        List<String> aggregates() {
            return events.stream()
                    .map(event -> new String(event.aggregateId(), java.nio.charset.StandardCharsets.UTF_8))
                    .toList();
        }
    }

    /** Polls until {@code done}. */
    static void pump(ChangeSource source, Received received, Callable<Boolean> done) {
        await().atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(5))
                .pollInSameThread()
                .until(() -> {
                    while (source.poll(received)) {}
                    return done.call();
                });
    }

    /** Polls until {@code count} events have come, and their transactions' ends. */
    static Received receive(ChangeSource source, int count) {
        Received received = new Received();
        pump(source, received, () -> received.events.size() >= count && source.caughtUpTo() >= 0);
        return received;
    }

    @Override
    public void close() {
        postgres.dropDatabase(config.url());
    }
}
