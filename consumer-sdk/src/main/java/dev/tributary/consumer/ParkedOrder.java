package dev.tributary.consumer;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which of an aggregate's parked events come next: as they were parked, except where numbers came late. */
final class ParkedOrder {
    private final ParkedStore store;
    private final ParkedSequences sequences;
    private final boolean looksAtSequences;

    ParkedOrder(SubscriptionConfig config) {
        this.store = new ParkedStore(config.name());
        this.sequences = new ParkedSequences(config.name());
        this.looksAtSequences = config.policy().sequenceGap() == SequenceGap.PARK;
    }

    /**
     * What comes next.
     *
     * @param events empty if nothing is parked; the one that has to wait, if there is something missing before it
     * @param last the aggregate's last sequence once they are applied; 0 if not known
     * @param missing null if they can be applied
     */
    record Next(
            List<ParkedEvent> events, long last, @Nullable Missing missing) {}

    /** @param max at most so many events */
    Next next(Connection connection, Aggregate aggregate, int max) throws SQLException {
        long last = looksAtSequences ? sequences.lastSequence(connection, aggregate) : 0;
        List<ParkedEvent> parked = store.events(connection, aggregate, 0, max);
        Next next = unbroken(connection, parked, last);
        if (!next.events().isEmpty() || parked.isEmpty()) {
            return next;
        }
        List<ParkedEvent> bySequence = store.eventsBySequence(connection, aggregate, next.last(), max);
        Next late = unbroken(connection, bySequence, next.last());
        if (!late.events().isEmpty()) {
            return late;
        }
        ParkedEvent waiting = bySequence.get(0);
        return new Next(List.of(waiting), last, sequences.missing(connection, aggregate, last, sequence(waiting)));
    }

    /** As {@link ParkedSequences#lastSeen}; 0 where numbers say nothing. */
    long lastSeen(Connection connection, Aggregate aggregate, long last) throws SQLException {
        return looksAtSequences ? sequences.lastSeen(connection, aggregate, last) : 0;
    }

    /** Those before the first that is not next. */
    private Next unbroken(Connection connection, List<ParkedEvent> parked, long from) throws SQLException {
        List<ParkedEvent> unbroken = new ArrayList<>();
        long last = from;
        for (ParkedEvent event : parked) {
            if (counts(event, last)) {
                if (last > 0 && sequences.missing(connection, event.aggregate(), last, sequence(event)) != null) {
                    break;
                }
                last = Math.max(last, sequence(event));
            }
            unbroken.add(event);
        }
        return new Next(unbroken, last, null);
    }

    /** A foreign producer's number says something only of an aggregate whose numbers are known. */
    private boolean counts(ParkedEvent event, long last) {
        return looksAtSequences && event.sequence() != null && (event.position() != null || last > 0);
    }

    private static long sequence(ParkedEvent event) {
        return event.sequence() == null ? 0 : event.sequence();
    }
}
