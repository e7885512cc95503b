package dev.tributary.consumer;

import dev.tributary.consumer.Incoming.Undecodable;
import dev.tributary.consumer.LiveCounters.What;
import dev.tributary.consumer.PositionStore.Progress;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What became of an attempt of a {@link BatchTransaction}. Only {@link Committed} has changed anything, and {@link CommitUnknown} may have. */
sealed interface Outcome {
    /**
     * Done.
     *
     * @param gaps aggregates parked for numbers that are missing, in a sentence each
     * @param healed aggregates of which such a number has come
     */
    record Committed(
            Progress progress,
            Map<What, Integer> counts,
            List<Undecodable> garbage,
            List<String> gaps,
            Set<Aggregate> healed)
            implements Outcome {}

    /** Someone else has claimed the partition, or moved its position. */
    record Fenced() implements Outcome {}

    /** The database did not let it begin, whatever is in it: nothing was applied. */
    record NotBegun(SQLException error) implements Outcome {}

    /**
     * Nothing was applied.
     *
     * @param index the event at which it failed; -1 if it cannot be told
     */
    record Failed(int index, Throwable error) implements Outcome {}

    /** The connection was lost while committing: only the database knows. */
    record CommitUnknown(SQLException error) implements Outcome {}

    /**
     * Nothing was applied.
     *
     * @param index the record that has to be stopped before
     */
    record Refused(int index, Stop stop) implements Outcome {}
}
