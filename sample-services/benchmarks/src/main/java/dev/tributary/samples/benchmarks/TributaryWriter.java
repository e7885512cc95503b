package dev.tributary.samples.benchmarks;

import dev.tributary.outbox.AppendResult;
import dev.tributary.outbox.AppendResult.Appended;
import dev.tributary.outbox.EventStore;
import dev.tributary.outbox.EventTypes;
import dev.tributary.outbox.Fold;
import dev.tributary.outbox.NewEvent;
import dev.tributary.outbox.Outbox;
import dev.tributary.outbox.aggregate.Aggregates;
import dev.tributary.outbox.aggregate.Decider;
import dev.tributary.outbox.aggregate.SnapshotPolicy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;

/** The library, in each of the ways in which it writes. */
final class TributaryWriter implements EventWriter {
    private static final EventTypes TYPES =
            EventTypes.builder().register(OrderEvent.NAME, 1, OrderEvent.class).build();
    private static final int EVENTS_PER_SNAPSHOT = 50;

    private final DataSource pool;
    private final Events events;

    private interface Events {
        void write(Connection connection, WriteJob job) throws SQLException;
    }

    private TributaryWriter(DataSource pool, Events events) {
        this.pool = pool;
        this.events = events;
    }

    static TributaryWriter unsequenced(DataSource pool) {
        Outbox outbox = Outbox.of(TYPES);
        return new TributaryWriter(
                pool, (connection, job) -> outbox.publish(connection, events(job, NewEvent::unsequenced)));
    }

    static TributaryWriter sequenced(DataSource pool) {
        Outbox outbox = Outbox.of(TYPES);
        return new TributaryWriter(
                pool, (connection, job) -> outbox.publish(connection, events(job, UnaryOperator.identity())));
    }

    /** Appends with the sequence that the aggregate is expected to be at: its writer remembers. */
    static TributaryWriter eventStore(DataSource pool, AggregateSequences sequences) {
        EventStore store = EventStore.of(TYPES);
        return new TributaryWriter(pool, (connection, job) -> {
            AppendResult result =
                    store.append(connection, sequences.of(job.aggregate()), events(job, UnaryOperator.identity()));
            if (!(result instanceof Appended appended)) {
                throw new IllegalStateException("nobody else writes this aggregate: " + result);
            }
            sequences.now(job.aggregate(), appended.sequence());
        });
    }

    /** Loads, decides and appends; again, if another writer was quicker. */
    static TributaryWriter aggregates(DataSource pool) {
        Aggregates<WriteJob, Order, OrderEvent> orders = Aggregates.of(
                        EventStore.of(TYPES), WriteJob.AGGREGATE_TYPE, OrderEvent.class, new Orders())
                .withSnapshots(
                        new Fold.Snapshots<>("order-state.v1", Order.class), SnapshotPolicy.every(EVENTS_PER_SNAPSHOT));
        return new TributaryWriter(pool, (connection, job) -> orders.handle(connection, job.aggregateId(), job));
    }

    @Override
    public void write(WriteJob job) throws SQLException {
        try (Connection connection = pool.getConnection()) {
            job.insertBusinessRow(connection);
            events.write(connection, job);
            connection.commit();
        }
    }

    private static List<NewEvent> events(WriteJob job, UnaryOperator<NewEvent> with) {
        return job.events().stream()
                .map(event -> with.apply(NewEvent.of(WriteJob.AGGREGATE_TYPE, job.aggregateId(), event)))
                .toList();
    }

    record Order(long totalCents) {}

    private static final class Orders implements Decider<WriteJob, Order, OrderEvent> {
        @Override
        public Order initial() {
            return new Order(0);
        }

        @Override
        public List<OrderEvent> decide(WriteJob job, Order order) {
            return job.events();
        }

        @Override
        public Order evolve(Order order, OrderEvent event) {
            return new Order(order.totalCents() + event.totalCents());
        }
    }
}
