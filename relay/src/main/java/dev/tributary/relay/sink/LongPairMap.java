package dev.tributary.relay.sink;

/**
 * From 128-bit keys to numbers other than 0, in about 40 bytes an entry: millions of them fit into a small heap. Open
 * addressing, nothing is ever removed. Not thread-safe.
 */
final class LongPairMap {
    private static final double LOAD_MAX = 0.6;
    private static final int FIRST_SLOTS = 1 << 10;

    private long[] keys = new long[2 * FIRST_SLOTS];
    private long[] values = new long[FIRST_SLOTS];
    private int size;

    void put(long high, long low, long value) {
        if (value == 0) {
            throw new IllegalArgumentException("0 means that there is none");
        }
        if (size >= LOAD_MAX * values.length) {
            grow();
        }
        int slot = slot(high, low);
        if (values[slot] == 0) {
            keys[2 * slot] = high;
            keys[2 * slot + 1] = low;
            size++;
        }
        values[slot] = value;
    }

    /** 0 if there is none. */
    long get(long high, long low) {
        return values[slot(high, low)];
    }

    /** Where the key is, or would be put. */
    private int slot(long high, long low) {
        long mixed = (high ^ Long.rotateLeft(low, 32)) * 0x9E37_79B9_7F4A_7C15L;
        int slot = (int) (mixed >>> 32) & (values.length - 1);
        while (values[slot] != 0 && (keys[2 * slot] != high || keys[2 * slot + 1] != low)) {
            slot = (slot + 1) & (values.length - 1);
        }
        return slot;
    }

    private void grow() {
        long[] oldKeys = keys;
        long[] oldValues = values;
        keys = new long[2 * oldKeys.length];
        values = new long[2 * oldValues.length];
        size = 0;
        for (int i = 0; i < oldValues.length; i++) {
            if (oldValues[i] != 0) {
                put(oldKeys[2 * i], oldKeys[2 * i + 1], oldValues[i]);
            }
        }
    }
}
