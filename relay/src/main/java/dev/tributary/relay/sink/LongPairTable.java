package dev.tributary.relay.sink;

import java.util.Arrays;

/**
 * From 128-bit keys to numbers, or to nothing: millions of them fit into a small heap. Open addressing in many small
 * arrays, each of which grows by itself and by little, so that growing needs no memory to speak of. Nothing is removed. Not
 * thread-safe.
 */
final class LongPairTable {
    private static final int SEGMENT_BITS = 8;
    private static final int FIRST_SLOTS = 8;
    private static final double LOAD_MAX = 0.85;
    private static final double GROWTH = 1.2;

    /** How many words an entry takes: the key's two and, if there are numbers, one more. */
    private final int width;

    private final long[][] segments = new long[1 << SEGMENT_BITS][];
    private final int[] sizes = new int[segments.length];
    /** What belongs to the key of zeros, which marks free slots. */
    private boolean hasZero;

    private long zerosNumber;
    private int size;

    private LongPairTable(int width) {
        this.width = width;
        Arrays.setAll(segments, segment -> new long[FIRST_SLOTS * width]);
    }

    /** Of keys alone, in about 22 bytes each. */
    static LongPairTable ofKeys() {
        return new LongPairTable(2);
    }

    /** Of keys with numbers, in about 33 bytes each. */
    static LongPairTable ofNumbers() {
        return new LongPairTable(3);
    }

    /** Does nothing if the key is there. */
    void add(long high, long low) {
        entry(high, low);
    }

    void put(long high, long low, long number) {
        int entry = entry(high, low);
        if (entry < 0) {
            zerosNumber = number;
        } else {
            segments[segment(high, low)][entry + 2] = number;
        }
    }

    boolean contains(long high, long low) {
        if ((high | low) == 0) {
            return hasZero;
        }
        long[] segment = segments[segment(high, low)];
        return isTaken(segment, find(segment, high, low));
    }

    /** 0 if there is none. */
    long get(long high, long low) {
        if ((high | low) == 0) {
            return zerosNumber;
        }
        long[] segment = segments[segment(high, low)];
        return segment[find(segment, high, low) + 2];
    }

    int size() {
        return size;
    }

    /** Where the key's entry is in its segment, made if it was missing; -1 for the key of zeros. */
    private int entry(long high, long low) {
        if ((high | low) == 0) {
            size += hasZero ? 0 : 1;
            hasZero = true;
            return -1;
        }
        int number = segment(high, low);
        int entry = find(segments[number], high, low);
        if (isTaken(segments[number], entry)) {
            return entry;
        }
        if ((sizes[number] + 1) * width > LOAD_MAX * segments[number].length) {
            grow(number);
            entry = find(segments[number], high, low);
        }
        segments[number][entry] = high;
        segments[number][entry + 1] = low;
        sizes[number]++;
        size++;
        return entry;
    }

    private void grow(int number) {
        long[] old = segments[number];
        int before = old.length / width;
        int slots = (int) (before * GROWTH) + 1;
        long[] grown = new long[slots * width];
        for (int i = 0; i < old.length; i += width) {
            if (isTaken(old, i)) {
                System.arraycopy(old, i, grown, find(grown, old[i], old[i + 1]), width);
            }
        }
        segments[number] = grown;
    }

    private static boolean isTaken(long[] segment, int entry) {
        return (segment[entry] | segment[entry + 1]) != 0;
    }

    /** Where the key is, or would be put. */
    private int find(long[] segment, long high, long low) {
        int slots = segment.length / width;
        int entry = (int) (((mix(high, low) & 0xFFFF_FFFFL) * slots) >>> 32) * width;
        while (isTaken(segment, entry) && (segment[entry] != high || segment[entry + 1] != low)) {
            entry += width;
            if (entry == segment.length) {
                entry = 0;
            }
        }
        return entry;
    }

    private static int segment(long high, long low) {
        return (int) (mix(high, low) >>> (Long.SIZE - SEGMENT_BITS));
    }

    /** Both halves of UUIDs have bits that are always the same; all bits of the result depend on all others. */
    private static long mix(long high, long low) {
        long mixed = (high ^ Long.rotateLeft(low, 32)) * 0x9E37_79B9_7F4A_7C15L;
        mixed = (mixed ^ (mixed >>> 32)) * 0xD6E8_FEB8_6659_FD93L;
        return mixed ^ (mixed >>> 32);
    }
}
