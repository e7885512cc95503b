package dev.tributary.outbox;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.outbox.schema.PayloadReader;
import dev.tributary.outbox.schema.SchemaException;
import dev.tributary.outbox.schema.Upcasters;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keeps aggregates as their events, for ever, in {@code tributary.event_store}. The same rows are what the relay sends to
 * Kafka: an event is written once. {@link dev.tributary.outbox.aggregate.Aggregates} is the convenient way to write an
 * aggregate on top of it.
 *
 * <p>An aggregate's sequence is shared with {@link Outbox#publish}; an aggregate that is kept here is to be published
 * nowhere else, or its numbers here have gaps, which loading refuses.
 *
 * <p>Immutable and thread-safe; one for the application is enough.
 */
public final class EventStore {
    private static final int EVENTS_MAX = 10_000;

    private final PrepareEvent prepare;
    private final ReadHistory history;

    private EventStore(PrepareEvent prepare, ReadHistory history) {
        this.prepare = prepare;
        this.history = history;
    }

    /** A store with the default limit and object mapper, and without upcasters. */
    public static EventStore of(EventTypes types) {
        return builder(types).build();
    }

    public static Builder builder(EventTypes types) {
        return new Builder(types);
    }

    /**
     * Appends events whatever the aggregate is at.
     *
     * @see #append(Connection, Long, List, NewSnapshot)
     */
    public AppendResult.Appended append(Connection connection, List<NewEvent> events) throws SQLException {
        return (AppendResult.Appended) append(connection, null, events, null);
    }

    /**
     * Appends events if the aggregate is at a sequence.
     *
     * @see #append(Connection, Long, List, NewSnapshot)
     */
    public AppendResult append(Connection connection, long expectedSequence, List<NewEvent> events)
            throws SQLException {
        return append(connection, expectedSequence, events, null);
    }

    /**
     * Appends events of one aggregate behind those that it has, in list order, all or none, in one round trip. Locks the
     * aggregate until the transaction ends.
     *
     * @param connection with auto-commit off; is neither committed, rolled back nor closed
     * @param expectedSequence what the aggregate has to be at: the last event's number, 0 for an aggregate without events,
     *     null for any
     * @param snapshot the state after these events, to be kept with them; null to leave what there is
     * @return a conflict only if a sequence is expected
     * @throws EventRejectedException if anything about the call is not acceptable; nothing was sent to the database
     * @throws OutboxException if the database has no Tributary tables
     * @throws SQLException if the database refuses; as always, the transaction is then lost. SQLState 40001 and 40P01 mean
     *     that it can be tried again from its beginning: above READ COMMITTED that is how conflicts may show.
     */
    public AppendResult append(
            Connection connection,
            @Nullable Long expectedSequence,
            List<NewEvent> events,
            @Nullable NewSnapshot snapshot)
            throws SQLException {
        CallerTransaction.require(connection);
        requireOneAggregate(events);
        if (expectedSequence != null && expectedSequence < 0) {
            throw new EventRejectedException("expected sequence " + expectedSequence
                    + " is impossible: expect 0 for an aggregate without events, null for any");
        }
        List<PreparedEvent> prepared = prepare.all(events);
        NewEvent first = events.get(0);
        byte[] state = snapshot == null ? null : prepare.json(snapshot.type(), snapshot.state());
        long before;
        try {
            before = AppendEvents.append(
                    connection, expectedSequence, prepared, snapshot == null ? null : snapshot.type(), state);
        } catch (SQLException e) {
            throw CallerTransaction.named(e);
        }
        if (expectedSequence != null && before < 0) {
            return new AppendResult.Conflict(first.aggregateType(), first.aggregateId(), expectedSequence, -1 - before);
        }
        return new AppendResult.Appended(
                before + prepared.size(),
                prepared.stream().map(PreparedEvent::id).toList());
    }

    private static void requireOneAggregate(List<NewEvent> events) {
        if (events.isEmpty() || events.size() > EVENTS_MAX) {
            throw new EventRejectedException(
                    events.size() + " events cannot be appended at a time: 1 to " + EVENTS_MAX + " can");
        }
        NewEvent first = events.get(0);
        for (NewEvent event : events) {
            if (!event.aggregateType().equals(first.aggregateType())
                    || !event.aggregateId().equals(first.aggregateId())) {
                throw new EventRejectedException(event + " and " + first
                        + " are of two aggregates: append each one's events in a call of its own");
            }
            if (!event.sequenced() || event.expectedSequence() != null) {
                throw new EventRejectedException(event + " has an opinion on its sequence:"
                        + " in the event store every event is numbered, and what is expected is said to append");
            }
        }
    }

    /**
     * An aggregate's events in order, all in memory; empty if it has none.
     *
     * @throws SchemaException if one cannot be read today; the message names it
     * @throws OutboxException if a number is missing among them, or the database has no Tributary tables
     */
    public List<StoredEvent> load(Connection connection, String aggregateType, String aggregateId) throws SQLException {
        return load(connection, aggregateType, aggregateId, 0);
    }

    /** Those behind a sequence. */
    public List<StoredEvent> load(Connection connection, String aggregateType, String aggregateId, long behindSequence)
            throws SQLException {
        List<StoredEvent> events = new ArrayList<>();
        history.read(connection, new ReadHistory.Of(aggregateType, aggregateId), behindSequence, null, events::add);
        return events;
    }

    /**
     * Folds an aggregate's events into its state, in one round trip for up to a thousand of them; begins with the
     * aggregate's snapshot if it has one that is wanted.
     *
     * @param connection in a transaction, so that a long history does not come into memory as a whole
     * @throws SchemaException if an event or the snapshot cannot be read today; the message names it
     * @throws OutboxException if a number is missing among the events, or the database has no Tributary tables
     */
    public <S> Loaded<S> fold(Connection connection, String aggregateType, String aggregateId, Fold<S> fold)
            throws SQLException {
        Folding<S> folding = new Folding<>(fold);
        history.read(connection, new ReadHistory.Of(aggregateType, aggregateId), 0, folding, folding::event);
        return folding.loaded();
    }

    /**
     * Keeps other writers of an aggregate away until the transaction ends.
     *
     * @return the sequence that it is at; 0 for one without events, which cannot be locked
     */
    public long lock(Connection connection, String aggregateType, String aggregateId) throws SQLException {
        CallerTransaction.require(connection);
        return history.lock(connection, new ReadHistory.Of(aggregateType, aggregateId));
    }

    /** Not thread-safe. */
    public static final class Builder {
        private final EventTypes types;
        private @Nullable ObjectMapper objectMapper;
        private Upcasters upcasters = Upcasters.none();
        private int payloadBytesMax = EventRules.PAYLOAD_BYTES_MAX_DEFAULT;

        private Builder(EventTypes types) {
            this.types = types;
        }

        /**
         * Writes and reads typed payloads and snapshots. The default finds the Jackson modules on the class path, writes
         * dates as ISO 8601 and passes over unknown fields.
         */
        public Builder objectMapper(ObjectMapper objectMapper) {
            this.objectMapper = objectMapper;
            return this;
        }

        /** What makes current types of those that older code has written; by default there is nothing to do. */
        public Builder upcasters(Upcasters upcasters) {
            this.upcasters = upcasters;
            return this;
        }

        /** As {@link Outbox.Builder#payloadBytesMax}. */
        public Builder payloadBytesMax(int payloadBytesMax) {
            this.payloadBytesMax = PrepareEvent.payloadBytesMax(payloadBytesMax);
            return this;
        }

        public EventStore build() {
            PayloadReader reader =
                    objectMapper == null ? PayloadReader.of(upcasters) : new PayloadReader(objectMapper, upcasters);
            return new EventStore(
                    PrepareEvent.of(types, objectMapper, payloadBytesMax), new ReadHistory(types, reader));
        }
    }
}
