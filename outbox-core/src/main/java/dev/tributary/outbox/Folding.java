package dev.tributary.outbox;

import dev.tributary.outbox.Fold.Snapshots;
import org.jspecify.annotations.Nullable;

/** A fold on its way. Not thread-safe. */
final class Folding<S> {
    private final Fold<S> fold;
    private S state;
    private long sequence;
    private long snapshotSequence;

    Folding(Fold<S> fold) {
        this.fold = fold;
        this.state = fold.initial();
    }

    @Nullable
    Snapshots<S> snapshots() {
        return fold.snapshots();
    }

    void snapshot(S restored, long restoredSequence) {
        state = restored;
        sequence = restoredSequence;
        snapshotSequence = restoredSequence;
    }

    void event(StoredEvent event) {
        state = fold.evolve(state, event);
    }

    /** Notes the number of an event that was read, though upcasters may have left nothing of it. */
    void reached(long lastSequence) {
        sequence = lastSequence;
    }

    Loaded<S> loaded() {
        return new Loaded<>(state, sequence, snapshotSequence);
    }
}
