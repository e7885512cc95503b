package dev.tributary.outbox;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.outbox.wire.ReadToken;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Publishes events in the caller's transaction: they are announced if it commits, and never were if it does not.
 *
 * <p>Each call is one round trip, whatever number of events and aggregates it is for. The first sequenced event of an
 * aggregate locks the aggregate until the transaction ends, so publish late in the transaction, and in one call where you can:
 * a call locks its aggregates in one fixed order, two calls may meet another transaction's in the opposite one.
 *
 * <p>Immutable and thread-safe; one for the application is enough.
 */
public final class Outbox {
    private static final Pattern SOURCE = Pattern.compile("[a-z0-9_]{1,63}");

    private final PrepareEvent prepare;
    private final @Nullable String source;

    private Outbox(PrepareEvent prepare, @Nullable String source) {
        this.prepare = prepare;
        this.source = source;
    }

    /** An outbox with the default limit and object mapper. */
    public static Outbox of(EventTypes types) {
        return builder(types).build();
    }

    public static Builder builder(EventTypes types) {
        return new Builder(types);
    }

    /**
     * Publishes one event, and returns its id.
     *
     * @see #publish(Connection, List)
     */
    public UUID publish(Connection connection, NewEvent event) throws SQLException {
        return publish(connection, List.of(event)).get(0);
    }

    /**
     * Publishes events in list order, all or none.
     *
     * <p>Their numbers are not told, since to tell them costs the database more: {@link #sequence} does.
     *
     * @param connection with auto-commit off; is neither committed, rolled back nor closed
     * @return the events' ids in list order: UUIDs of version 7, unique, and growing within the process
     * @throws EventRejectedException if anything about the call is not acceptable; nothing was sent to the database
     * @throws SequenceConflictException if an event would not get the number that it was expected to; nothing was
     *     written, the transaction is still usable
     * @throws OutboxException if the database has no Tributary tables
     * @throws SQLException if the database refuses; as always, the transaction is then lost. SQLState 40001 and 40P01
     *     mean that it can be tried again from its beginning.
     */
    public List<UUID> publish(Connection connection, List<NewEvent> events) throws SQLException {
        CallerTransaction.require(connection);
        if (events.isEmpty()) {
            return List.of();
        }
        List<PreparedEvent> prepared = prepare.all(events);
        try {
            WriteEvents.write(connection, prepared);
        } catch (SQLException e) {
            throw CallerTransaction.named(e);
        }
        return prepared.stream().map(PreparedEvent::id).toList();
    }

    /**
     * The number of an aggregate's last sequenced event, 0 for an aggregate without any; one round trip. In a transaction that
     * has published a sequenced event of the aggregate it is the number of that one, and stays so until the transaction ends;
     * otherwise another writer may be about to move it.
     *
     * @throws OutboxException if the database has no Tributary tables
     */
    public long sequence(Connection connection, String aggregateType, String aggregateId) throws SQLException {
        try {
            return WriteFew.last(connection, aggregateType, aggregateId);
        } catch (SQLException e) {
            throw CallerTransaction.named(e);
        }
    }

    /**
     * A token for everything that has committed in this database by now, whoever wrote it. Costs one round trip, after the
     * commit; nothing is written.
     *
     * @param connection to the primary, best the one that has just committed; if it is not in auto-commit mode, a
     *     transaction begins on it, as with any query
     * @throws OutboxException if no source is named, if the connection's transaction has yet to commit, or if it leads to
     *     a standby
     */
    public ReadToken token(Connection connection) throws SQLException {
        if (source == null) {
            throw new OutboxException("a token says which source it is of, and none is named: use Outbox.builder(…)"
                    + ".source(…), or set tributary.outbox.source, to the name that the relay has for this database");
        }
        return token(connection, source);
    }

    /** A {@link #token(Connection)} of the source named, for services with several. */
    public ReadToken token(Connection connection, String source) throws SQLException {
        return IssueToken.issue(connection, requireSource(source));
    }

    private static String requireSource(String source) {
        if (!SOURCE.matcher(source).matches()) {
            throw new IllegalArgumentException(
                    "a source's name has lower-case letters, digits and underscores, and '" + source + "' is none");
        }
        return source;
    }

    /** Not thread-safe. */
    public static final class Builder {
        private final EventTypes types;
        private @Nullable ObjectMapper objectMapper;
        private int payloadBytesMax = EventRules.PAYLOAD_BYTES_MAX_DEFAULT;
        private @Nullable String source;

        private Builder(EventTypes types) {
            this.types = types;
        }

        /**
         * Writes typed payloads. The default finds the Jackson modules on the class path and writes dates as ISO 8601.
         */
        public Builder objectMapper(ObjectMapper objectMapper) {
            this.objectMapper = objectMapper;
            return this;
        }

        /**
         * Limits a payload, in bytes; by default 900 KiB, which with the longest headers always fits Kafka's default
         * of 1 MiB for a record. Raise it only together with the limits of brokers, topics, relay and consumers.
         */
        public Builder payloadBytesMax(int payloadBytesMax) {
            this.payloadBytesMax = PrepareEvent.payloadBytesMax(payloadBytesMax);
            return this;
        }

        /** The name that the relay has for this database, {@code relay.sources.<name>}; {@link Outbox#token} needs it. */
        public Builder source(String source) {
            this.source = requireSource(source);
            return this;
        }

        public Outbox build() {
            return new Outbox(PrepareEvent.of(types, objectMapper, payloadBytesMax), source);
        }
    }
}
