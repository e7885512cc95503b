package dev.tributary.outbox;

import java.util.Objects;

/**
 * An aggregate's state after the events that it is appended with. It replaces the one before.
 *
 * @param type that of the {@link Fold.Snapshots} which are to find it, {@code name.vN}
 * @param state whatever Jackson can write
 */
public record NewSnapshot(String type, Object state) {
    public NewSnapshot {
        EventRules.eventType(type);
        if (Objects.isNull(state)) { // there would be no loading it
            throw new EventRejectedException("the state of a snapshot of type " + type + " is null: what is to be kept"
                    + " is an object, also of an aggregate that has come to its end");
        }
    }
}
