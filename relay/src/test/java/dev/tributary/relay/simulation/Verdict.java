package dev.tributary.relay.simulation;

import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/** Reads what Kafka holds in the end, as a consumer would, and says what is wrong with it. */
final class Verdict {
    private final World world;
    private final List<Event> events;
    private final boolean[] applied;
    private final long[] sequence = new long[SimulatedWriters.AGGREGATES];
    private int count;
    private @Nullable String wrong;

    private Verdict(World world) {
        this.world = world;
        this.events = world.writers().events();
        this.applied = new boolean[events.size()];
    }

    /** What is wrong; null if nothing is. */
    static @Nullable String on(World world) {
        String failure = world.failure();
        return failure != null ? failure : new Verdict(world).judge();
    }

    private @Nullable String judge() {
        for (List<PartitionLog> logs : world.kafka().topics().values()) {
            for (PartitionLog log : logs) {
                if (!log.name().topic().equals(World.MARKS)) {
                    read(log);
                }
            }
        }
        if (wrong == null && count != world.server().events() && !world.slotWasTouched()) {
            wrong = "lost: "
                    + events.stream()
                            .filter(event -> event.order != Event.ROLLED_BACK && !applied[event.id])
                            .map(event -> "event " + event.order + " of aggregate " + event.aggregate)
                            .toList();
        }
        return wrong;
    }

    /** A consumer drops what is at or below the last position that it has seen in the partition. */
    private void read(PartitionLog log) {
        int last = -1;
        for (ProducerRecord<byte[], byte[]> record : log.records()) {
            Event event = events.get(Event.idIn(record.value()));
            if (event.order == Event.ROLLED_BACK) {
                wrong = "rolled back, and in " + log.name() + ": event " + event.id;
            } else if (event.order <= last) {
                if (!world.mayRepeat()) {
                    wrong = "twice or out of order in " + log.name() + ": event " + event.order + " behind " + last;
                }
            } else {
                last = event.order;
                apply(log, event);
            }
        }
    }

    private void apply(PartitionLog log, Event event) {
        if (applied[event.id] && !(world.mayRepeat() && world.kafka().hasGrown())) {
            wrong = "in another partition too than " + log.name() + ": event " + event.order;
        }
        if (!applied[event.id]) {
            applied[event.id] = true;
            count++;
        }
        if (!world.kafka().hasGrown() && event.sequence != ++sequence[event.aggregate]) {
            wrong = "number " + event.sequence + " of aggregate " + event.aggregate + " where number "
                    + sequence[event.aggregate] + " should be, in " + log.name();
        }
    }
}
