package dev.tributary.outbox.aggregate;

import dev.tributary.outbox.AppendResult;
import dev.tributary.outbox.AppendResult.Appended;
import dev.tributary.outbox.EventRejectedException;
import dev.tributary.outbox.EventStore;
import dev.tributary.outbox.Fold;
import dev.tributary.outbox.Loaded;
import dev.tributary.outbox.NewEvent;
import dev.tributary.outbox.NewSnapshot;
import dev.tributary.outbox.OutboxException;
import dev.tributary.outbox.StoredEvent;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * All aggregates of one type, kept as their events: loads, decides, appends, in the caller's transaction.
 *
 * <p>Immutable and thread-safe; one for each aggregate type is enough.
 */
public final class Aggregates<C, S, E> {
    private final EventStore store;
    private final String type;
    private final Class<E> events;
    private final Decider<C, S, E> decider;
    private final @Nullable SnapshotPolicy policy;
    private final Fold<S> fold;

    private Aggregates(
            EventStore store,
            String type,
            Class<E> events,
            Decider<C, S, E> decider,
            Fold.@Nullable Snapshots<S> snapshots,
            @Nullable SnapshotPolicy policy) {
        this.store = store;
        this.type = type;
        this.events = events;
        this.decider = decider;
        this.policy = policy;
        this.fold = new Evolution(snapshots);
    }

    /**
     * Aggregates without snapshots.
     *
     * @param type the aggregate type; becomes part of the topic's name
     * @param events what all of their events are
     */
    public static <C, S, E> Aggregates<C, S, E> of(
            EventStore store, String type, Class<E> events, Decider<C, S, E> decider) {
        return new Aggregates<>(store, type, events, decider, null, null);
    }

    /**
     * These, with snapshots.
     *
     * @param snapshots whose type is to be another whenever {@code evolve} would come to other states: what older code has
     *     kept is then passed over
     */
    public Aggregates<C, S, E> withSnapshots(Fold.Snapshots<S> snapshots, SnapshotPolicy when) {
        return new Aggregates<>(store, type, events, decider, snapshots, when);
    }

    /**
     * An aggregate's state.
     *
     * @see EventStore#fold
     */
    public Loaded<S> load(Connection connection, String id) throws SQLException {
        return store.fold(connection, type, id, fold);
    }

    /**
     * Has an aggregate decide on a command, and appends what comes of it.
     *
     * @see #handle(Connection, String, Object, UnaryOperator)
     */
    public Decision<S> handle(Connection connection, String id, C command) throws SQLException {
        return handle(connection, id, command, UnaryOperator.identity());
    }

    /**
     * Has an aggregate decide on a command, and appends what comes of it: two round trips. If another writer was quicker, the
     * aggregate is locked and asked once more, with the state that the other has left: two more, and it is done whatever the
     * number of writers. Above READ COMMITTED that is not possible, and PostgreSQL ends the transaction with SQLState 40001,
     * to be tried again from its beginning.
     *
     * @param connection with auto-commit off; is neither committed, rolled back nor closed
     * @param with adds headers, such as a correlation id, to each event
     * @throws SQLException as {@link EventStore#append(Connection, Long, List, NewSnapshot)}
     */
    public Decision<S> handle(Connection connection, String id, C command, UnaryOperator<NewEvent> with)
            throws SQLException {
        Decision<S> decision = attempt(connection, id, command, with);
        if (decision == null) {
            long last = store.lock(connection, type, id);
            decision = attempt(connection, id, command, with);
            if (decision == null) {
                throw new OutboxException(type + "/" + id + " is at number " + last + ", but its events in"
                        + " tributary.event_store end before that: some were published through the outbox, or somebody"
                        + " has moved tributary.aggregate or deleted events by hand; an aggregate has to have all of its"
                        + " events in one place");
            }
        }
        return decision;
    }

    /** Null after a conflict. */
    private @Nullable Decision<S> attempt(Connection connection, String id, C command, UnaryOperator<NewEvent> with)
            throws SQLException {
        Loaded<S> loaded = load(connection, id);
        List<E> decided = decider.decide(command, loaded.state());
        if (Objects.isNull(decided)) {
            throw new EventRejectedException("what " + type + "/" + id + " decided on a "
                    + command.getClass().getSimpleName() + " is null: return an empty list where nothing happens");
        }
        if (decided.isEmpty()) {
            return new Decision<>(loaded.state(), loaded.sequence(), List.of());
        }
        S state = loaded.state();
        for (E event : decided) {
            state = decider.evolve(state, event);
        }
        List<NewEvent> written = decided.stream()
                .map(event -> with.apply(NewEvent.of(type, id, event)))
                .toList();
        AppendResult result =
                store.append(connection, loaded.sequence(), written, snapshot(loaded, written.size(), state));
        return result instanceof Appended appended
                ? new Decision<>(state, appended.sequence(), appended.eventIds())
                : null;
    }

    private @Nullable NewSnapshot snapshot(Loaded<S> loaded, int appended, S state) {
        Fold.Snapshots<S> snapshots = fold.snapshots();
        boolean due = snapshots != null
                && policy != null
                && policy.isDue(loaded.sequence() + appended, loaded.snapshotSequence());
        return due && snapshots != null ? new NewSnapshot(snapshots.type(), state) : null;
    }

    /** The decider's, for stored events. */
    private final class Evolution implements Fold<S> {
        private final @Nullable Snapshots<S> snapshots;

        Evolution(@Nullable Snapshots<S> snapshots) {
            this.snapshots = snapshots;
        }

        @Override
        public S initial() {
            return decider.initial();
        }

        @Override
        public S evolve(S state, StoredEvent event) {
            if (!events.isInstance(event.payload())) {
                throw new EventRejectedException("event " + event.sequence() + " of " + type + "/" + event.aggregateId()
                        + " is a " + event.type() + ", which is no " + events.getSimpleName()
                        + ": let its class be one, or add an upcaster to one that is");
            }
            return decider.evolve(state, events.cast(event.payload()));
        }

        @Override
        public @Nullable Snapshots<S> snapshots() {
            return snapshots;
        }
    }
}
