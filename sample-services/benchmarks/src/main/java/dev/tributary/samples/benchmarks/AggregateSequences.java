package dev.tributary.samples.benchmarks;

import java.util.Arrays;

/** What each aggregate is at. Each is written, and asked for, by one client only. */
final class AggregateSequences {
    private final long[] sequences = new long[WriteTables.AGGREGATES];

    /** All have one event again. */
    void reset() {
        Arrays.fill(sequences, 1);
    }

    long of(int aggregate) {
        return sequences[aggregate];
    }

    void now(int aggregate, long sequence) {
        sequences[aggregate] = sequence;
    }
}
