package dev.tributary.relay.simulation;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Services that write events in transactions beside each other, of which some are rolled back. */
final class SimulatedWriters {
    private static final int WRITERS = 3;
    static final int AGGREGATES = 5;
    private static final int EVENTS_MAX = 200;

    private final World world;
    private final List<Event> events = new ArrayList<>();
    private final List<@Nullable List<Event>> open = new ArrayList<>();
    private final @Nullable List<Event>[] lock;
    private final long[] sequence = new long[AGGREGATES];

    @SuppressWarnings({"unchecked", "rawtypes"})
    SimulatedWriters(World world) {
        this.world = world;
        this.lock = new List[AGGREGATES];
        for (int i = 0; i < WRITERS; i++) {
            open.add(null);
        }
    }

    void turn() {
        if (!world.server().isUp()) {
            return;
        }
        if (world.oneIn(4)) {
            world.server().writes(8 * (1 + world.below(30))); // other tables, of other services too
        }
        int writer = world.below(WRITERS);
        List<Event> transaction = open.get(writer);
        if (transaction == null) {
            open.set(writer, new ArrayList<>());
        } else if (world.oneIn(3)) {
            end(writer, !world.oneIn(6));
        } else {
            insert(transaction);
        }
    }

    private void insert(List<Event> transaction) {
        int aggregate = world.below(AGGREGATES);
        List<Event> locked = lock[aggregate];
        if (events.size() == EVENTS_MAX || (locked != null && locked != transaction)) {
            return;
        }
        lock[aggregate] = transaction;
        Event event = new Event(events.size(), aggregate, ++sequence[aggregate]);
        events.add(event);
        transaction.add(event);
        world.server().writes(8 * (1 + world.below(4)));
    }

    private void end(int writer, boolean commits) {
        List<Event> transaction = open.set(writer, null);
        if (transaction == null) {
            return;
        }
        if (commits) {
            world.server().commit(transaction);
        } else {
            transaction.forEach(event -> sequence[event.aggregate] -= 1);
        }
        for (int aggregate = 0; aggregate < AGGREGATES; aggregate++) {
            if (lock[aggregate] == transaction) {
                lock[aggregate] = null;
            }
        }
    }

    /** The server has crashed under all that was open. */
    void lost() {
        for (int writer = 0; writer < WRITERS; writer++) {
            end(writer, false);
        }
    }

    void finish() {
        for (int writer = 0; writer < WRITERS; writer++) {
            end(writer, true);
        }
    }

    /** All that was ever written, committed or not, by id. */
    List<Event> events() {
        return events;
    }
}
