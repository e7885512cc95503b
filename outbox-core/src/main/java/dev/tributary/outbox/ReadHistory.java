package dev.tributary.outbox;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tributary.outbox.Fold.Snapshots;
import dev.tributary.outbox.schema.PayloadReader;
import dev.tributary.outbox.schema.SchemaException;
import dev.tributary.outbox.schema.UpcastEvent;
import dev.tributary.outbox.schema.Upcasters;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Reads aggregates from the event store. Thread-safe. */
final class ReadHistory {
    /** So many rows come with the first answer, and with each further one of a long history. */
    private static final int FETCH_SIZE = 1_000;

    /**
     * The snapshot, if there is one of that type, as a row without id before those of the events behind it.
     *
     * <p>The upper bound says nothing, but PostgreSQL does not know how many events lie behind a snapshot: with one bound it
     * reckons with a third of the table if there are few aggregates, and may sort, or compile, for so many. The inner order is
     * that of the key, so that a long history is not sorted but comes as it is read.
     */
    static final String SQL = """
            WITH snapshot AS MATERIALIZED (
                SELECT sequence, type, state FROM tributary.snapshot
                WHERE aggregate_type = ? AND aggregate_id = ? AND type = ANY (?))
            SELECT NULL::uuid, sequence, type, NULL, state, NULL::json, NULL::timestamptz FROM snapshot
            UNION ALL
            (SELECT id, sequence, type, content_type, payload, headers, occurred_at FROM tributary.event_store
            WHERE aggregate_type = ? AND aggregate_id = ?
              AND sequence > coalesce((SELECT snapshot.sequence FROM snapshot), ?) AND sequence <= 9223372036854775807
            ORDER BY sequence)
            ORDER BY sequence""";

    private static final String LOCK =
            "SELECT sequence FROM tributary.aggregate WHERE aggregate_type = ? AND aggregate_id = ? FOR UPDATE";
    private static final JsonMapper HEADERS = new JsonMapper();

    private final EventTypes types;
    private final PayloadReader reader;

    ReadHistory(EventTypes types, PayloadReader reader) {
        this.types = types;
        this.reader = reader;
    }

    /** An aggregate; its names are checked. */
    record Of(String type, String id) {
        Of {
            EventRules.aggregateType(type);
            EventRules.aggregateId(id);
        }

        @Override
        public String toString() {
            return type + "/" + id;
        }
    }

    long lock(Connection connection, Of aggregate) throws SQLException {
        try (PreparedStatement lock = connection.prepareStatement(LOCK)) {
            lock.setString(1, aggregate.type());
            lock.setString(2, aggregate.id());
            try (ResultSet head = lock.executeQuery()) {
                return head.next() ? head.getLong(1) : 0;
            }
        } catch (SQLException e) {
            throw CallerTransaction.named(e);
        }
    }

    /** @param folding is told of the snapshot, if it wants one, and of every number; null for events only */
    <S> void read(
            Connection connection,
            Of aggregate,
            long behind,
            @Nullable Folding<S> folding,
            Consumer<StoredEvent> events)
            throws SQLException {
        Snapshots<S> snapshots = folding == null ? null : folding.snapshots();
        try (PreparedStatement query = connection.prepareStatement(SQL)) {
            query.setFetchSize(FETCH_SIZE);
            query.setString(1, aggregate.type());
            query.setString(2, aggregate.id());
            query.setArray(
                    3, connection.createArrayOf("text", snapshots == null ? new String[0] : readable(snapshots)));
            query.setString(4, aggregate.type());
            query.setString(5, aggregate.id());
            query.setLong(6, behind);
            long last = behind;
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    long sequence = row.getLong(2);
                    if (row.getObject(1) == null && folding != null && snapshots != null) {
                        folding.snapshot(snapshot(aggregate, row, snapshots), sequence);
                    } else {
                        refuseGap(aggregate, last, sequence);
                        read(aggregate, row, sequence, events);
                        if (folding != null) {
                            folding.reached(sequence);
                        }
                    }
                    last = sequence;
                }
            }
        } catch (SQLException e) {
            throw CallerTransaction.named(e);
        }
    }

    /** Its type, and those from which upcasters lead to it. */
    private String[] readable(Snapshots<?> snapshots) {
        Set<String> wanted = Set.of(snapshots.type());
        Upcasters upcasters = reader.upcasters();
        return Stream.concat(wanted.stream(), upcasters.oldTypes().stream().filter(old -> upcasters
                        .currentTypes(old)
                        .equals(wanted)))
                .toArray(String[]::new);
    }

    private <S> S snapshot(Of aggregate, ResultSet row, Snapshots<S> snapshots) throws SQLException {
        List<UpcastEvent> current = upcast("the snapshot of " + aggregate, row);
        if (current.size() != 1) {
            throw new SchemaException("the snapshot of " + aggregate + " of type " + row.getString(3)
                    + " is split by an upcaster, and has to stay one");
        }
        try {
            return current.get(0).payload(snapshots.as());
        } catch (SchemaException e) {
            throw new SchemaException(
                    "the snapshot of " + aggregate + ": " + e.getMessage() + "; give Fold.Snapshots a new type where "
                            + snapshots.as().getSimpleName() + " has changed, and older ones are passed over",
                    e);
        }
    }

    private static void refuseGap(Of aggregate, long last, long sequence) {
        if (sequence != last + 1) {
            throw new OutboxException("events " + (last + 1) + " to " + (sequence - 1) + " of " + aggregate
                    + " are not in tributary.event_store: they were published through the outbox, or somebody deleted"
                    + " them; an aggregate has to have all of its events in one place");
        }
    }

    private void read(Of aggregate, ResultSet row, long sequence, Consumer<StoredEvent> events) throws SQLException {
        for (UpcastEvent current : upcast("event " + sequence + " of " + aggregate, row)) {
            events.accept(new StoredEvent(
                    row.getString(1) + current.idSuffix(),
                    aggregate.type(),
                    aggregate.id(),
                    sequence,
                    current.type(),
                    payload(aggregate, sequence, current, row.getString(4)),
                    headers(row.getString(6)),
                    row.getObject(7, OffsetDateTime.class).toInstant()));
        }
    }

    private List<UpcastEvent> upcast(String named, ResultSet row) throws SQLException {
        try {
            return reader.upcast(row.getString(3), row.getString(4), row.getBytes(5));
        } catch (SchemaException e) {
            throw new SchemaException(named + ": " + e.getMessage(), e);
        }
    }

    private Object payload(Of aggregate, long sequence, UpcastEvent event, String contentType) {
        Class<?> registered = types.classOf(event.type());
        if (registered == null && PayloadReader.isJson(contentType)) {
            throw new SchemaException("event " + sequence + " of " + aggregate + " is of type " + event.type()
                    + ", which has no class: register one, or add an upcaster from it");
        }
        try {
            return registered == null ? event.payload(byte[].class) : event.payload(registered);
        } catch (SchemaException e) {
            throw new SchemaException("event " + sequence + " of " + aggregate + ": " + e.getMessage(), e);
        }
    }

    private static Map<String, String> headers(@Nullable String json) throws SQLException {
        try {
            return json == null
                    ? Map.of()
                    : Map.copyOf(HEADERS.readValue(json, new TypeReference<Map<String, String>>() {}));
        } catch (JsonProcessingException e) {
            throw new SQLException("headers in tributary.event_store are no flat JSON object: " + json, e);
        }
    }
}
