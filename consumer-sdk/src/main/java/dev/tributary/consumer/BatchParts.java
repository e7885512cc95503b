package dev.tributary.consumer;

import dev.tributary.consumer.Parking.Poison;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A batch on its way into the database: whole at first, in parts once something in it fails, until that is alone. */
final class BatchParts {
    /** A failure must come twice to count as the event's fault. */
    static final int ATTEMPTS_BEFORE_PARKING = 2;

    private final Deque<List<Incoming>> parts = new ArrayDeque<>();
    private int failures;
    private @Nullable Poison poison;

    BatchParts(List<Incoming> batch) {
        parts.add(batch);
    }

    boolean isEmpty() {
        return parts.isEmpty();
    }

    /** What to attempt next. */
    List<Incoming> first() {
        return parts.getFirst();
    }

    /** Why {@link #first}, which is one event then, is to be parked; null if it is to be handled. */
    @Nullable
    Poison poison() {
        return poison;
    }

    void firstCommitted() {
        parts.removeFirst();
        failures = 0;
        poison = null;
    }

    /**
     * Decides how to go on after a failure that will come again.
     *
     * @param index the event at which it failed; -1 if it cannot be told
     * @return false if there is no way on: not even parking works
     */
    boolean firstFailed(int index, Throwable error) {
        if (poison != null) {
            return false;
        }
        if (first().size() > 1) {
            splitFirst(index < 0 ? first().size() / 2 : Math.max(1, index));
            failures = index == 0 ? 1 : 0;
            return true;
        }
        failures++;
        if (failures >= ATTEMPTS_BEFORE_PARKING) {
            poison = new Poison(error, failures);
        }
        return true;
    }

    /** So that what comes before it is committed first; false if nothing does. */
    boolean splitBefore(int index) {
        if (index > 0) {
            splitFirst(index);
            failures = 0;
        }
        return index > 0;
    }

    private void splitFirst(int at) {
        List<Incoming> part = parts.removeFirst();
        parts.addFirst(part.subList(at, part.size()));
        parts.addFirst(part.subList(0, at));
    }
}
