package dev.tributary.consumer;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The last sequence of each of many aggregates, in 16 bytes for each place: aggregates by a hash of 64 bits, which stands
 * for the name. Not thread-safe.
 */
final class LastSequences {
    private static final long NONE = 0;
    private static final int CAPACITY_MIN = 64;
    private static final int ENTRY_BYTES_MIN = Long.BYTES + 1;
    private static final int ENTRY_BYTES_MAX = Long.BYTES + 10;
    private static final long FNV_OFFSET = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;

    /** Keys, each with its sequence behind it, so that both are in the same line of the processor's cache. */
    private long[] entries;

    private int size;

    LastSequences() {
        this(CAPACITY_MIN);
    }

    private LastSequences(int capacity) {
        entries = new long[2 * capacity];
    }

    /** What stands for an aggregate, also in the database; two of a million million share one. */
    static long key(Event<?> event) {
        return key(event.source(), event.aggregateType(), event.aggregateId());
    }

    static long key(Aggregate aggregate) {
        return key(aggregate.source(), aggregate.type(), aggregate.id());
    }

    private static long key(String source, String type, String id) {
        long hash = mix(mix(mix(FNV_OFFSET, source), type), id);
        hash = (hash ^ (hash >>> 33)) * 0xff51afd7ed558ccdL;
        hash = (hash ^ (hash >>> 33)) * 0xc4ceb9fe1a85ec53L;
        hash ^= hash >>> 33;
        return hash == NONE ? 1 : hash;
    }

    private static long mix(long hash, String text) {
        long mixed = hash;
        for (int i = 0; i < text.length(); i++) {
            mixed = (mixed ^ text.charAt(i)) * FNV_PRIME;
        }
        // So that what ends one part does not begin the next
        return (mixed ^ 0xffff) * FNV_PRIME;
    }

    int size() {
        return size;
    }

    /** Forgets all, and keeps the room. */
    void clear() {
        if (size > 0) {
            Arrays.fill(entries, NONE);
            size = 0;
        }
    }

    /** 0 if not known. */
    long get(long key) {
        return entries[place(key) + 1];
    }

    /** @param sequence at least 1 */
    void put(long key, long sequence) {
        int place = place(key);
        if (entries[place] == NONE) {
            if ((size + 1) * 3L > entries.length) {
                grow();
                place = place(key);
            }
            entries[place] = key;
            size++;
        }
        entries[place + 1] = sequence;
    }

    void putAll(LastSequences others) {
        for (int i = 0; i < others.entries.length; i += 2) {
            if (others.entries[i] != NONE) {
                put(others.entries[i], others.entries[i + 1]);
            }
        }
    }

    private int place(long key) {
        int mask = entries.length - 1;
        int place = (int) (key << 1) & mask;
        while (entries[place] != NONE && entries[place] != key) {
            place = (place + 2) & mask;
        }
        return place;
    }

    private void grow() {
        LastSequences larger = new LastSequences(entries.length);
        larger.putAll(this);
        entries = larger.entries;
    }

    /** What {@link #encode} takes at least. */
    long encodedBytesMin() {
        return (long) size * ENTRY_BYTES_MIN;
    }

    /** For {@link #decode}: each key in 8 bytes, its sequence in as many as it needs, usually one or two. */
    byte[] encode() {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(size, ENTRY_BYTES_MAX));
        for (int i = 0; i < entries.length; i += 2) {
            if (entries[i] != NONE) {
                bytes.putLong(entries[i]);
                long rest = entries[i + 1];
                while (rest > 0x7f) {
                    bytes.put((byte) (rest | 0x80));
                    rest >>>= 7;
                }
                bytes.put((byte) rest);
            }
        }
        return Arrays.copyOf(bytes.array(), bytes.position());
    }

    /** Adds what was encoded; what comes later overrides what came before. */
    void decode(byte[] encoded) {
        ByteBuffer bytes = ByteBuffer.wrap(encoded);
        while (bytes.hasRemaining()) {
            long key = bytes.getLong();
            long sequence = 0;
            byte part;
            int shift = 0;
            do {
                part = bytes.get();
                sequence |= (long) (part & 0x7f) << shift;
                shift += 7;
            } while (part < 0);
            put(key, sequence);
        }
    }
}
