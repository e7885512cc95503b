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
 * @param replays the same of events that may be met in another topic, as one of the two is a replay's
 */
record EventFates(Map<Place, Fate> places, Map<Id, There> replays) {
    static final EventFates NONE = new EventFates(Map.of(), Map.of());

    record Place(String topic, int partition, long offset) {}

    record Id(String source, String id) {}

    record There(String topic, Fate fate) {}

    EventFates {
        places = Map.copyOf(places);
        replays = Map.copyOf(replays);
    }

    /** With those that it has parked, and those that people have discarded. */
    static EventFates parkedAndDiscarded(Connection connection, String subscription) throws SQLException {
        return read(connection, subscription, Map.of("discarded_event", Fate.LEAVE_OUT, "parked_event", Fate.PARK));
    }

    /** Only with those that people have discarded. */
    static EventFates discarded(Connection connection, String subscription) throws SQLException {
        return read(connection, subscription, Map.of("discarded_event", Fate.LEAVE_OUT));
    }

    private static EventFates read(Connection connection, String subscription, Map<String, Fate> tables)
            throws SQLException {
        Map<Place, Fate> places = new HashMap<>();
        Map<Id, There> replays = new HashMap<>();
        for (Map.Entry<String, Fate> table : tables.entrySet()) {
            try (PreparedStatement query = connection.prepareStatement(
                    "SELECT topic, topic_partition, record_offset, source, event_id FROM tributary." + table.getKey()
                            + " WHERE subscription = ?")) {
                query.setString(1, subscription);
                try (ResultSet row = query.executeQuery()) {
                    while (row.next()) {
                        Fate fate = table.getValue();
                        Place place = new Place(row.getString(1), row.getInt(2), row.getLong(3));
                        places.merge(place, fate, EventFates::stronger);
                        replays.merge(
                                new Id(row.getString(4), row.getString(5)),
                                new There(place.topic(), fate),
                                (one, other) -> one.fate() == Fate.PARK ? one : other);
                    }
                }
            }
        }
        return new EventFates(places, replays);
    }

    private static Fate stronger(Fate one, Fate other) {
        return one == Fate.PARK ? one : other;
    }

    /** By its place; an id may come twice in one topic, since a source can send an event again. */
    Fate of(Event<?> event) {
        if (places.isEmpty()) {
            return Fate.APPLY;
        }
        Fate here = places.get(new Place(event.topic(), event.partition(), event.offset()));
        There there = here == null ? replays.get(new Id(event.source(), event.id())) : null;
        if (here != null) {
            return here;
        }
        return there != null && !there.topic().equals(event.topic()) ? there.fate() : Fate.APPLY;
    }

    long parked() {
        return places.values().stream().filter(fate -> fate == Fate.PARK).count();
    }
}
