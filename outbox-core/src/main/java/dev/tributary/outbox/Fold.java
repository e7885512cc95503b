package dev.tributary.outbox;

import org.jspecify.annotations.Nullable;

/**
 * How an aggregate's state comes of its events.
 *
 * @param <S> the state; best immutable
 */
public interface Fold<S> {
    /** The state before the first event. */
    S initial();

    /** The state after one more event. To be a function of its parameters only. */
    S evolve(S state, StoredEvent event);

    /** The kind of snapshots that loading may begin with; null, the default, to begin with the first event always. */
    default @Nullable Snapshots<S> snapshots() {
        return null;
    }

    /**
     * A kind of snapshots, kept as JSON.
     *
     * @param type {@code name.vN}. A snapshot of another type is passed over, so a new version has every state built from
     *     its events once; an upcaster from the old one saves that.
     * @param as what a snapshot is read as
     */
    record Snapshots<S>(String type, Class<S> as) {
        public Snapshots {
            EventRules.eventType(type);
        }
    }
}
