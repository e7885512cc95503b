package dev.tributary.consumer.view;

import dev.tributary.consumer.Event;
import dev.tributary.consumer.Feed.Fate;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;

/**
 * What the live view has made of events that it did not simply apply, at one moment. Immutable.
 *
 * @param places the fate of each such event
 */
record EventFates(Map<Place, Fate> places) {
    static final EventFates NONE = new EventFates(Map.of());

    record Place(String topic, int partition, long offset) {}

    EventFates {
        places = Map.copyOf(places);
    }

    /** With those that it has parked, and those that people have discarded. */
    static EventFates parkedAndDiscarded(Connection connection, String subscription) throws SQLException {
        Map<Place, Fate> places =
                new HashMap<>(discarded(connection, subscription).places());
        places.putAll(read(connection, "parked_event", subscription, Fate.PARK));
        return new EventFates(places);
    }

    /** Only with those that people have discarded. */
    static EventFates discarded(Connection connection, String subscription) throws SQLException {
        return new EventFates(read(connection, "discarded_event", subscription, Fate.LEAVE_OUT));
    }

    private static Map<Place, Fate> read(Connection connection, String table, String subscription, Fate fate)
            throws SQLException {
        try (PreparedStatement query = connection.prepareStatement("SELECT topic, topic_partition, record_offset"
                + " FROM tributary." + table + " WHERE subscription = ?")) {
            query.setString(1, subscription);
            Map<Place, Fate> places = new HashMap<>();
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    places.put(new Place(row.getString(1), row.getInt(2), row.getLong(3)), fate);
                }
            }
            return places;
        }
    }

    Fate of(Event<?> event) {
        return places.isEmpty()
                ? Fate.APPLY
                : places.getOrDefault(new Place(event.topic(), event.partition(), event.offset()), Fate.APPLY);
    }

    long parked() {
        return places.values().stream().filter(fate -> fate == Fate.PARK).count();
    }
}
