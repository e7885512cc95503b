package dev.tributary.consumer.view;

import org.jspecify.annotations.Nullable;

/**
 * Where an event is, for people who look for it. Immutable.
 *
 * @param type as it was written
 * @param aggregate its aggregate's type and id, such as {@code order/42}
 * @param position its place in its source's commit order; null for foreign producers' events
 */
public record EventTrace(
        String id,
        String type,
        String source,
        String aggregate,
        @Nullable String position,
        String topic,
        int partition,
        long offset) {

    @Override
    public String toString() {
        return type + " " + id + " of " + aggregate + " from " + source + " at "
                + (position == null ? "" : position + ", ") + topic + "-" + partition + "-" + offset;
    }
}
