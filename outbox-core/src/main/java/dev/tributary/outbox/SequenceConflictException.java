package dev.tributary.outbox;

/**
 * An event was expected to become a certain number of its aggregate, and another writer was there first. Nothing of the
 * call was written and the transaction is still usable: read the aggregate again, decide again, publish again.
 */
public final class SequenceConflictException extends OutboxException {
    private final String aggregateType;
    private final String aggregateId;
    private final long expected;
    private final long actual;

    SequenceConflictException(String aggregateType, String aggregateId, long expected, long actual) {
        super("the event was expected to become number " + expected + " of " + aggregateType + "/" + aggregateId
                + " but would be number " + actual + ": read the aggregate again and decide anew");
        this.aggregateType = aggregateType;
        this.aggregateId = aggregateId;
        this.expected = expected;
        this.actual = actual;
    }

    public String aggregateType() {
        return aggregateType;
    }

    public String aggregateId() {
        return aggregateId;
    }

    /** The number given to {@link NewEvent#expectingSequence}. */
    public long expected() {
        return expected;
    }

    /** The number that the event would have become. */
    public long actual() {
        return actual;
    }
}
