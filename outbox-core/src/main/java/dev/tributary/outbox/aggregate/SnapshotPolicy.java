package dev.tributary.outbox.aggregate;

/** When an aggregate's state is kept beside its events, so that loading it does not begin with the first. */
@FunctionalInterface
public interface SnapshotPolicy {
    /**
     * Asked whenever events are appended.
     *
     * @param sequence the aggregate's, with these events
     * @param snapshotSequence that of the snapshot which loading began with; 0 without one
     */
    boolean isDue(long sequence, long snapshotSequence);

    /** One as soon as so many events have come since the last. */
    static SnapshotPolicy every(int events) {
        if (events < 1) {
            throw new IllegalArgumentException("a snapshot every " + events + " events is impossible: use 1 or more");
        }
        return (sequence, snapshotSequence) -> sequence - snapshotSequence >= events;
    }
}
