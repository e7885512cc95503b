package dev.tributary.outbox;

import org.jspecify.annotations.Nullable;

/** One aggregate's part in a call: how many sequenced events it gets, and what it is expected to be at before. */
final class AggregateHead {
    private final Key key;
    private int eventCount;
    private @Nullable Long expectedLast;
    /** How far ahead of the last sequence the first event with an expectation will be. */
    private int firstExpecting;

    /** Sorted, so that every writer locks aggregates in the same order. */
    record Key(String type, String id) implements Comparable<Key> {
        static Key of(NewEvent event) {
            return new Key(event.aggregateType(), event.aggregateId());
        }

        @Override
        public int compareTo(Key other) {
            int byType = type.compareTo(other.type);
            return byType != 0 ? byType : id.compareTo(other.id);
        }
    }

    AggregateHead(Key key) {
        this.key = key;
    }

    /** Adds an event of this aggregate and returns how far ahead of the last sequence it will be, from 1. */
    int add(NewEvent event) {
        eventCount++;
        Long expected = event.expectedSequence();
        if (expected != null) {
            long last = expected - eventCount;
            if (last < 0 || (expectedLast != null && expectedLast != last)) {
                throw new EventRejectedException("expected sequence " + expected + " of " + key.type() + "/" + key.id()
                        + " contradicts the events before it in the same call, of which it is number " + eventCount
                        + ": expect consecutive numbers in list order, or only expect the first");
            }
            if (expectedLast == null) {
                expectedLast = last;
                firstExpecting = eventCount;
            }
        }
        return eventCount;
    }

    Key key() {
        return key;
    }

    int eventCount() {
        return eventCount;
    }

    @Nullable
    Long expectedLast() {
        return expectedLast;
    }

    /**
     * What the first event with an expectation is told.
     *
     * @param answer what {@code tributary.advance_aggregate} returns for a conflict: -1 - (the last sequence)
     */
    SequenceConflictException conflict(long answer) {
        if (expectedLast == null) {
            throw new IllegalStateException("a conflict where nothing was expected");
        }
        return new SequenceConflictException(
                key.type(), key.id(), expectedLast + firstExpecting, -1 - answer + firstExpecting);
    }
}
