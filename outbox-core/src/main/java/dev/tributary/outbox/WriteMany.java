package dev.tributary.outbox;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Writes any number of events of any number of aggregates in one round trip: one call of a function, with arrays. */
final class WriteMany {
    private static final String WRITE = "SELECT tributary.write_events(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

    private final List<PreparedEvent> events;
    private final TreeMap<AggregateHead.Key, AggregateHead> heads = new TreeMap<>();
    /** By event: how far ahead of its aggregate's last sequence it will be, from 1; 0 for an unsequenced one. */
    private final int[] ahead;

    WriteMany(List<PreparedEvent> events) {
        this.events = events;
        this.ahead = new int[events.size()];
        for (int i = 0; i < ahead.length; i++) {
            NewEvent event = events.get(i).event();
            if (event.sequenced()) {
                ahead[i] = heads.computeIfAbsent(AggregateHead.Key.of(event), AggregateHead::new)
                        .add(event);
            }
        }
    }

    /** @throws SequenceConflictException if an event would not get the number that it is expected to; nothing is written then */
    void write(Connection connection) throws SQLException {
        try (PreparedStatement write = connection.prepareStatement(WRITE)) {
            setHeads(connection, write);
            setEvents(connection, write, headOfEvent());
            try (ResultSet result = write.executeQuery()) {
                result.next();
                requireNoConflict((Long[]) result.getArray(1).getArray());
            }
        }
    }

    /** By event, its aggregate's index among the heads, from 1; 0 for an unsequenced one. */
    private int[] headOfEvent() {
        Map<AggregateHead.Key, Integer> index = new HashMap<>();
        heads.keySet().forEach(key -> index.put(key, index.size() + 1));
        int[] headOfEvent = new int[events.size()];
        for (int i = 0; i < headOfEvent.length; i++) {
            headOfEvent[i] = ahead[i] == 0
                    ? 0
                    : index.get(AggregateHead.Key.of(events.get(i).event()));
        }
        return headOfEvent;
    }

    private void setHeads(Connection connection, PreparedStatement write) throws SQLException {
        Collection<AggregateHead> all = heads.values();
        write.setArray(1, array(connection, "text", all, head -> head.key().type()));
        write.setArray(2, array(connection, "text", all, head -> head.key().id()));
        write.setArray(3, array(connection, "int8", all, head -> (long) head.eventCount()));
        write.setArray(4, array(connection, "int8", all, AggregateHead::expectedLast));
    }

    private void setEvents(Connection connection, PreparedStatement write, int[] headOfEvent) throws SQLException {
        write.setArray(5, array(connection, "uuid", events, PreparedEvent::id));
        write.setArray(
                6, array(connection, "text", events, event -> event.event().aggregateType()));
        write.setArray(
                7, array(connection, "text", events, event -> event.event().aggregateId()));
        write.setArray(8, array(connection, "text", events, PreparedEvent::type));
        write.setArray(9, array(connection, "text", events, PreparedEvent::contentType));
        byte[][] payloads = events.stream().map(PreparedEvent::payload).toArray(byte[][]::new);
        write.setArray(10, connection.createArrayOf("bytea", payloads));
        write.setArray(11, array(connection, "text", events, PreparedEvent::headers));
        write.setArray(
                12,
                connection.createArrayOf(
                        "int4", Arrays.stream(headOfEvent).boxed().toArray()));
        write.setArray(
                13,
                connection.createArrayOf("int4", Arrays.stream(ahead).boxed().toArray()));
    }

    private static <T> Array array(
            Connection connection, String type, Collection<T> rows, Function<T, @Nullable Object> column)
            throws SQLException {
        return connection.createArrayOf(type, rows.stream().map(column).toArray());
    }

    /** @param lasts by aggregate, up to the first conflict, what {@code tributary.advance_aggregate} returned */
    private void requireNoConflict(Long[] lasts) {
        if (lasts.length > 0 && lasts[lasts.length - 1] < 0) {
            throw List.copyOf(heads.values()).get(lasts.length - 1).conflict(lasts[lasts.length - 1]);
        }
    }
}
