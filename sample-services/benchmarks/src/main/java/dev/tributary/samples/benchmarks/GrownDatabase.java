package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.EventStore;
import dev.tributary.outbox.EventTypes;
import dev.tributary.outbox.Fold;
import dev.tributary.outbox.Loaded;
import dev.tributary.outbox.NewEvent;
import dev.tributary.outbox.NewSnapshot;
import dev.tributary.outbox.Outbox;
import dev.tributary.outbox.OutboxSchema;
import dev.tributary.outbox.StoredEvent;
import dev.tributary.outbox.retention.OutboxRetention;
import dev.tributary.outbox.retention.RetentionSettings;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A service's database after a long time: so many events of so many aggregates in the event store, and as many of other
 * aggregates in the outbox; beside them some aggregates that are the same in each. Used by one thread.
 */
final class GrownDatabase implements AutoCloseable {
    /** An aggregate of {@value #SHORT} events. */
    static final String SHORT_ID = "short";
    /** An aggregate of {@value #LONG} events. */
    static final String LONG_ID = "long";
    /** Another one, with a snapshot {@value #BEHIND_SNAPSHOT} events before its end. */
    static final String SNAPSHOT_ID = "long-with-snapshot";
    /** The first of the many, which has such a snapshot too if it has more events. */
    static final String FIRST_ID = "order-0";

    static final int SHORT = 100;
    static final int LONG = 10_000;
    static final int BEHIND_SNAPSHOT = 10;

    static final String STORED = Workload.AGGREGATE_TYPE;
    static final String PUBLISHED = "shipment";

    private static final int WRITTEN_TO = 200;
    private static final int PER_TRANSACTION = 20_000;
    private static final int PER_APPEND = 1_000;

    private static final String FILL = """
            DO $$
            BEGIN
                FOR part IN 0 .. %1$d LOOP
                    INSERT INTO tributary.%2$s
                    SELECT gen_random_uuid(), '%3$s', 'order-' || n %% %4$d, n / %4$d + 1, '%5$s', '%6$s', '%7$s', NULL,
                           clock_timestamp()
                    FROM generate_series(part * %8$d, least((part + 1) * %8$d, %9$d) - 1) n;
                    COMMIT;
                END LOOP;
            END $$""";

    private static final String HEADS = "INSERT INTO tributary.aggregate (aggregate_type, aggregate_id, sequence)"
            + " SELECT '%s', 'order-' || n, %d FROM generate_series(0, %d) n";

    private final LocalPostgres postgres;
    private final String url;
    private final Connection connection;
    private final int aggregates;
    private final Workload workload;
    private final EventStore store = EventStore.of(
            EventTypes.builder().register("order.placed", 1, Placed.class).build());
    private final Outbox outbox = Outbox.of(EventTypes.builder().build());

    /** What events say. */
    record Placed(String orderId, String text) {}

    /** What events come to. */
    record Count(long events) {}

    private static final Fold<Count> COUNT = new Fold<>() {
        @Override
        public Count initial() {
            return new Count(0);
        }

        @Override
        public Count evolve(Count state, StoredEvent event) {
            return new Count(state.events + 1);
        }

        @Override
        public Snapshots<Count> snapshots() {
            return new Snapshots<>("order-count.v1", Count.class);
        }
    };

    /** Fills it, and has it looked through as autovacuum would. */
    GrownDatabase(LocalPostgres postgres, String name, int events, int aggregates, Workload workload)
            throws SQLException {
        this.postgres = postgres;
        this.url = postgres.createDatabaseNamed(name);
        this.connection = postgres.connect(url);
        this.aggregates = aggregates;
        this.workload = workload;
        OutboxSchema.apply(connection);
        execute("CREATE PUBLICATION tributary FOR TABLE tributary.outbox, tributary.event_store"
                + " WITH (publish = 'insert', publish_via_partition_root = true)");
        turnRetention(); // for partitions
        execute("SET synchronous_commit = off");
        fill("event_store", STORED, events);
        fill("outbox", PUBLISHED, events);
        addAggregates(events / aggregates);
        execute("RESET synchronous_commit");
        execute("VACUUM ANALYZE");
        execute("CHECKPOINT"); // not while something is measured
        execute("SELECT pg_create_logical_replication_slot('" + Contestant.slot(name) + "', 'pgoutput')");
    }

    private void fill(String table, String aggregateType, int events) throws SQLException {
        execute(FILL.formatted(
                (events - 1) / PER_TRANSACTION,
                table,
                aggregateType,
                aggregates,
                Workload.EVENT_TYPE,
                Workload.CONTENT_TYPE,
                new String(workload.payload(0), StandardCharsets.US_ASCII),
                PER_TRANSACTION,
                events));
        execute(HEADS.formatted(aggregateType, events / aggregates, aggregates - 1));
    }

    private void addAggregates(int eventsEach) throws SQLException {
        connection.setAutoCommit(false);
        append(SHORT_ID, SHORT, false);
        append(LONG_ID, LONG, false);
        append(SNAPSHOT_ID, LONG - BEHIND_SNAPSHOT, true);
        append(SNAPSHOT_ID, BEHIND_SNAPSHOT, false);
        if (eventsEach > BEHIND_SNAPSHOT) {
            store.append(
                    connection,
                    null,
                    List.of(event(FIRST_ID)),
                    new NewSnapshot("order-count.v1", new Count(eventsEach + 1)));
            append(FIRST_ID, BEHIND_SNAPSHOT, false);
        }
        connection.commit();
        connection.setAutoCommit(true);
    }

    private void append(String aggregateId, int count, boolean snapshot) throws SQLException {
        List<NewEvent> events = Collections.nCopies(Math.min(count, PER_APPEND), event(aggregateId));
        for (int left = count; left > 0; left -= events.size()) {
            events = events.subList(0, Math.min(left, events.size()));
            boolean last = left == events.size();
            store.append(
                    connection,
                    null,
                    events,
                    snapshot && last ? new NewSnapshot("order-count.v1", new Count(count)) : null);
        }
    }

    private NewEvent event(String aggregateId) {
        return event(STORED, aggregateId);
    }

    private NewEvent event(String aggregateType, String aggregateId) {
        return NewEvent.raw(
                aggregateType, aggregateId, Workload.EVENT_TYPE, Workload.CONTENT_TYPE, workload.payload(1));
    }

    String url() {
        return url;
    }

    SharedCore onClientsCore() throws SQLException {
        return SharedCore.with(connection);
    }

    /** In a transaction of its own, as are those below. */
    void publishUnsequenced(int number) throws SQLException {
        inTransaction(() ->
                outbox.publish(connection, event(PUBLISHED, anAggregate(number)).unsequenced()));
    }

    void publish(int number) throws SQLException {
        inTransaction(() -> outbox.publish(connection, event(PUBLISHED, anAggregate(number))));
    }

    void append(int number) throws SQLException {
        inTransaction(() -> store.append(connection, List.of(event(anAggregate(number)))));
    }

    /** Loads an aggregate from its snapshot, if it has one. */
    void load(String aggregateId, long expected) throws SQLException {
        inTransaction(() -> {
            Loaded<Count> loaded = store.fold(connection, STORED, aggregateId, COUNT);
            if (loaded.state().events() < expected || loaded.state().events() != loaded.sequence()) {
                throw new IllegalStateException(aggregateId + " was loaded as " + loaded);
            }
            return loaded;
        });
    }

    private String anAggregate(int number) {
        return "order-" + oneOf(aggregates, number);
    }

    /**
     * One of {@value #WRITTEN_TO}, far from each other. Not of all: what a write adds to the log when it is the first since a
     * checkpoint to change a page would hide the rest.
     */
    static int oneOf(int aggregates, int number) {
        return (int) ((number % WRITTEN_TO) * (long) aggregates / WRITTEN_TO);
    }

    private interface Work {
        Object run() throws SQLException;
    }

    private void inTransaction(Work work) throws SQLException {
        connection.setAutoCommit(false);
        work.run();
        connection.commit();
        connection.setAutoCommit(true);
    }

    void turnRetention() throws SQLException {
        try (OutboxRetention retention =
                new OutboxRetention(() -> postgres.connect(url), RetentionSettings.ofWindow(Duration.ofDays(1)))) {
            retention.turn();
        }
    }

    /** Adds events by tens, as quickly as it goes; for the relay. */
    void addBacklog(int events) throws SQLException {
        connection.setAutoCommit(false);
        List<NewEvent> ten = new ArrayList<>();
        for (int number = 0; number < events; number++) {
            ten.add(event(PUBLISHED, anAggregate(number)));
            if (ten.size() == 10) {
                outbox.publish(connection, ten);
                connection.commit();
                ten.clear();
            }
        }
        connection.commit();
        connection.setAutoCommit(true);
    }

    /** Whether a slot has confirmed everything up to a place in the log. */
    boolean isConfirmed(String slot, String lsn) throws SQLException {
        return text("SELECT confirmed_flush_lsn >= '" + lsn + "' FROM pg_replication_slots WHERE slot_name = '" + slot
                        + "'")
                .equals("t");
    }

    String text(String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return String.valueOf(row.getString(1));
        }
    }

    void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
        postgres.dropDatabase(url);
    }
}
