package dev.tributary.relay.sink;

import dev.tributary.outbox.wire.Position;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * Delivered events whose positions the other engine gave: the same transactions by another LSN, so they are known again by
 * id and by their number within the transaction. Not thread-safe.
 */
final class OtherEnginesEvents {
    private record Key(UUID id, int ordinal) {}

    private final Map<Key, Long> commitLsns = new HashMap<>();
    /** A transaction, by this engine's LSN, of which the other has delivered a part, and by which LSN. */
    private long bridgedLsn = -1;

    private long bridgeLsn;

    /** False if it is known already. */
    boolean add(Position position, UUID id) {
        return commitLsns.put(new Key(id, position.ordinal()), position.commitLsn()) == null;
    }

    boolean takes(Position position, UUID id) {
        Long commitLsn = commitLsns.isEmpty() ? null : commitLsns.remove(new Key(id, position.ordinal()));
        if (commitLsn == null) {
            return false;
        }
        bridgedLsn = position.commitLsn();
        bridgeLsn = commitLsn;
        return true;
    }

    /**
     * Where {@code position} has to be so that positions grow: what follows in a transaction of which a part is delivered
     * may not lie before that part.
     */
    Position behindDelivered(Position position) {
        return position.commitLsn() == bridgedLsn && Long.compareUnsigned(bridgeLsn, bridgedLsn) > 0
                ? new Position(position.epoch(), bridgeLsn, position.ordinal())
                : position;
    }

    Collection<Long> commitLsns() {
        return commitLsns.values();
    }
}
