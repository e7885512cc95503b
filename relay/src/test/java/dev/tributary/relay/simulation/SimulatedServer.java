package dev.tributary.relay.simulation;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * PostgreSQL as far as a relay can tell: a log that only grows, transactions in commit order, and one slot, whose confirmed
 * position is on disk only since the last checkpoint.
 */
final class SimulatedServer {
    /** What the server sends of a transaction, once it has committed. */
    record Transaction(long commitLsn, long endLsn, List<Event> events) {}

    private final World world;
    private final List<Transaction> committed = new ArrayList<>();
    private int events;
    private long wal = 1_000;
    private long downUntil;
    private int crashes;
    private long confirmed = wal;
    private long confirmedOnDisk = wal;
    private boolean slotExists = true;
    private @Nullable SimulatedStream holder;

    SimulatedServer(World world) {
        this.world = world;
    }

    void turn() {
        if (!isUp()) {
            return;
        }
        SimulatedStream holding = holder;
        if (holding != null && world.oneIn(3)) {
            holding.turn();
        }
        if (world.oneIn(50)) {
            confirmedOnDisk = confirmed;
        }
    }

    boolean isUp() {
        return world.nanos() >= downUntil;
    }

    /** Connections of before a crash are broken. */
    int crashes() {
        return crashes;
    }

    /** Where the next record will start; all before is on disk. */
    long walEnd() {
        return wal;
    }

    void writes(int bytes) {
        wal += bytes;
    }

    /** The commit record starts where the log ends, and ends where the next one's may start. */
    void commit(List<Event> ofTransaction) {
        long commitLsn = wal;
        wal += 8;
        for (Event event : ofTransaction) {
            event.order = events++;
        }
        committed.add(new Transaction(commitLsn, wal, ofTransaction));
    }

    Transaction transaction(int index) {
        return committed.get(index);
    }

    int transactions() {
        return committed.size();
    }

    /** How many events have committed. */
    int events() {
        return events;
    }

    void crash(long nanos) {
        crashes++;
        downUntil = world.nanos() + nanos;
        confirmed = confirmedOnDisk;
        holder = null;
        world.writers().lost();
    }

    void comeBack() {
        downUntil = 0;
    }

    boolean hasSlot() {
        return slotExists;
    }

    long confirmed() {
        return confirmed;
    }

    void confirmed(long lsn) {
        if (lsn > confirmed) {
            confirmed = lsn;
        }
    }

    @Nullable
    SimulatedStream holder() {
        return holder;
    }

    void taken(SimulatedStream stream) {
        holder = stream;
    }

    void released(SimulatedStream stream) {
        if (holder == stream) {
            holder = null;
        }
    }

    /** An operator's mistake; the slot must be free for it. */
    void moveSlot() {
        if (holder == null && slotExists) {
            confirmed = wal;
            confirmedOnDisk = wal;
        }
    }

    void dropSlot() {
        slotExists = false;
        SimulatedStream holding = holder;
        if (holding != null) {
            holding.end();
        }
    }
}
