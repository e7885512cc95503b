package dev.tributary.relay.replay;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.source.HistoryRows.Selection;
import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which events: all of them where nothing is said.
 *
 * @param aggregateTypes of these types only; empty for all
 * @param aggregateId of this aggregate only, of the one type that is given; null for all
 * @param since those that occurred then or later; null for all
 * @param until those that occurred before; null for all
 * @param from those that were live at this position or behind it; null for all
 * @param to those that were live at this position or before it; null for all
 */
public record Part(
        Set<String> aggregateTypes,
        @Nullable String aggregateId,
        @Nullable Instant since,
        @Nullable Instant until,
        @Nullable Position from,
        @Nullable Position to) {
    /** The whole history. */
    public static final Part ALL = new Part(Set.of(), null, null, null, null, null);

    public Part {
        aggregateTypes = Set.copyOf(aggregateTypes);
    }

    Selection selection() {
        return new Selection(aggregateTypes, aggregateId, since, until);
    }

    /** Whether all events of an aggregate type are in it if any is. */
    boolean hasWholeTypes() {
        return aggregateId == null && since == null && until == null && from == null && to == null;
    }
}
