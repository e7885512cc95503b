package dev.tributary.relay.sink;

import java.util.UUID;

/** Ids in about 32 bytes each: millions of them fit into a small heap. Open addressing, nothing is removed. Not thread-safe. */
final class IdSet {
    private static final double LOAD_MAX = 0.7;
    private static final int FIRST_SLOTS = 1 << 10;

    /** Two for each id; both 0 where there is none. */
    private long[] halves = new long[2 * FIRST_SLOTS];

    private int size;
    private boolean hasZero;

    void add(UUID id) {
        if (isZero(id)) {
            size += hasZero ? 0 : 1;
            hasZero = true;
            return;
        }
        if (2 * (size + 1) > LOAD_MAX * halves.length) {
            grow();
        }
        put(id.getMostSignificantBits(), id.getLeastSignificantBits());
    }

    boolean contains(UUID id) {
        if (isZero(id)) {
            return hasZero;
        }
        int slot = slot(id.getMostSignificantBits(), id.getLeastSignificantBits());
        return (halves[slot] | halves[slot + 1]) != 0;
    }

    int size() {
        return size;
    }

    private static boolean isZero(UUID id) {
        return (id.getMostSignificantBits() | id.getLeastSignificantBits()) == 0;
    }

    private void put(long high, long low) {
        int slot = slot(high, low);
        if ((halves[slot] | halves[slot + 1]) == 0) {
            halves[slot] = high;
            halves[slot + 1] = low;
            size++;
        }
    }

    /** Where the first half is, or would be put. */
    private int slot(long high, long low) {
        long mixed = (high ^ Long.rotateLeft(low, 32)) * 0x9E37_79B9_7F4A_7C15L;
        int slot = ((int) (mixed >>> 32) << 1) & (halves.length - 1);
        while ((halves[slot] | halves[slot + 1]) != 0 && (halves[slot] != high || halves[slot + 1] != low)) {
            slot = (slot + 2) & (halves.length - 1);
        }
        return slot;
    }

    private void grow() {
        long[] old = halves;
        halves = new long[2 * old.length];
        size = hasZero ? 1 : 0;
        for (int i = 0; i < old.length; i += 2) {
            if ((old[i] | old[i + 1]) != 0) {
                put(old[i], old[i + 1]);
            }
        }
    }
}
