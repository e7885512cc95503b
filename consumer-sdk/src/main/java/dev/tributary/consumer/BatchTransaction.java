package dev.tributary.consumer;

import dev.tributary.consumer.Incoming.Decoded;
import dev.tributary.consumer.Incoming.Undecodable;
import dev.tributary.consumer.LiveCounters.What;
import dev.tributary.consumer.ParkedEvent.Failure;
import dev.tributary.consumer.Parking.Parked;
import dev.tributary.consumer.Parking.Poison;
import dev.tributary.consumer.PositionStore.Claim;
import dev.tributary.consumer.PositionStore.Progress;
import dev.tributary.consumer.rows.RowBatch;
import dev.tributary.consumer.rows.RowOperationException;
import dev.tributary.consumer.rows.Tables;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Applies a batch in one transaction: move the position, which locks it, run the handlers, commit. All of it
 * or nothing; which of the two is the {@link Outcome}. One thread attempts, another may {@link #cut}.
 */
final class BatchTransaction {
    private final SubscriptionConfig config;
    private final PositionStore positions;
    private final Parking parking;
    private final PartitionSequences sequences;
    private final Tables tables = new Tables();
    private final Object connectionLock = new Object();
    private @Nullable Connection current;
    /** Changed by commits alone: what a failed attempt has seen may have been undone with the database it was seen in. */
    private boolean mayHaveParked = true;

    BatchTransaction(
            SubscriptionConfig config, PositionStore positions, Parking parking, PartitionSequences sequences) {
        this.config = config;
        this.positions = positions;
        this.parking = parking;
        this.sequences = sequences;
    }

    /** Whether any aggregate is parked, as found by the claim; saves batches the question. */
    void mayHaveParked(boolean any) {
        mayHaveParked = any;
    }

    /** @param poison parks the batch's only event, for this reason, instead of handling it */
    Outcome attempt(List<Incoming> batch, Claim claim, Progress from, @Nullable Poison poison) {
        Outcome outcome = attempt(batch, claim, from, poison, false);
        boolean rowsRefused = outcome instanceof Outcome.Failed failed
                && failed.error() instanceof RowOperationException
                && !Failures.isPassing(failed.error());
        return rowsRefused ? attempt(batch, claim, from, poison, true) : outcome;
    }

    /** @param oneByOne applies row operations as they were declared instead of what they come to */
    private Outcome attempt(
            List<Incoming> batch, Claim claim, Progress from, @Nullable Poison poison, boolean oneByOne) {
        try (Connection connection = config.dataSource().getConnection()) {
            lend(connection);
            try {
                RowBatch rows = new RowBatch(connection, tables, oneByOne);
                Outcome outcome = run(connection, rows, batch, claim, from, poison);
                if (!(outcome instanceof Outcome.Committed)) {
                    rollback(connection);
                }
                return outcome;
            } finally {
                lend(null);
            }
        } catch (SQLException e) {
            return new Outcome.NotBegun(e);
        }
    }

    /** Whether the next attempt could begin; null if so, else what would become of it. */
    @Nullable
    Outcome look(Claim claim, Progress at) {
        try (Connection connection = config.dataSource().getConnection()) {
            lend(connection);
            try {
                connection.setAutoCommit(false);
                boolean mine = positions.isAt(connection, claim, at);
                rollback(connection);
                return mine ? null : new Outcome.Fenced();
            } finally {
                lend(null);
            }
        } catch (SQLException e) {
            return new Outcome.NotBegun(e);
        }
    }

    /** Ends the running attempt, if there is one, by closing its connection under it. */
    void cut() {
        synchronized (connectionLock) {
            if (current != null) {
                try {
                    current.abort(Runnable::run);
                } catch (SQLException e) {
                    // It is closed already, or will be found broken by its user
                    current = null;
                }
            }
        }
    }

    private void lend(@Nullable Connection connection) throws SQLException {
        if (connection != null) {
            Databases.limitAnswerTime(connection, config.timeouts().database());
        }
        synchronized (connectionLock) {
            current = connection;
        }
    }

    private Outcome run(
            Connection connection,
            RowBatch rows,
            List<Incoming> batch,
            Claim claim,
            Progress from,
            @Nullable Poison poison)
            throws SQLException {
        Repeats repeats = Repeats.among(batch, from, config::passesOver);
        if (!positions.advance(connection, claim, from, repeats.progressAfter())) {
            return new Outcome.Fenced();
        }
        sequences.begin();
        boolean anyParked = mayHaveParked && findsParked(connection);
        Map<Aggregate, Parked> parked = anyParked ? parkedAmong(connection, batch) : new HashMap<>();
        Step step = new Step(connection, rows, poison, parked);
        Outcome ended = takeAll(batch, repeats, step, rows);
        if (ended != null) {
            return ended;
        }
        try {
            sequences.write(connection);
        } catch (SQLException e) { // so it ends, too, when a handler has swallowed an error that broke the transaction
            return new Outcome.Failed(-1, e);
        }
        try {
            connection.commit();
        } catch (SQLException e) {
            return Failures.leavesCommitUnknown(e) ? new Outcome.CommitUnknown(e) : new Outcome.Failed(-1, e);
        }
        mayHaveParked = anyParked || step.counts.containsKey(What.PARKED);
        sequences.committed();
        return new Outcome.Committed(repeats.progressAfter(), step.counts, step.garbage, step.gaps, step.healed);
    }

    /** Null if the transaction may be committed. */
    private static @Nullable Outcome takeAll(List<Incoming> batch, Repeats repeats, Step step, RowBatch rows) {
        for (int i = 0; i < batch.size(); i++) {
            try {
                rows.begin(i);
                Stop stop = repeats.contains(i) ? step.passOver() : step.take(batch.get(i));
                if (stop != null) {
                    return new Outcome.Refused(i, stop);
                }
            } catch (RowOperationException e) { // an earlier event's, perhaps
                return new Outcome.Failed(e.event(), e);
            } catch (Throwable e) { // whatever a handler throws, an Error too, is this event's failure
                return new Outcome.Failed(i, e);
            }
        }
        try {
            rows.flush();
            return null;
        } catch (RowOperationException e) {
            return new Outcome.Failed(e.event(), e);
        }
    }

    /** Also learns what redrives, which may run elsewhere, have written. */
    private boolean findsParked(Connection connection) throws SQLException {
        sequences.refresh(connection);
        return parking.aggregates(connection, 1) > 0;
    }

    private Map<Aggregate, Parked> parkedAmong(Connection connection, List<Incoming> batch) throws SQLException {
        List<Aggregate> candidates = new ArrayList<>();
        for (Incoming incoming : batch) {
            if (incoming instanceof Decoded decoded) {
                candidates.add(Aggregate.of(decoded.event()));
            }
        }
        return parking.parked(connection, candidates.stream().distinct().toList());
    }

    private static void rollback(Connection connection) {
        try {
            connection.rollback();
        } catch (SQLException e) {
            // The session is gone, and the transaction with it
            return;
        }
    }

    /** One record after the other, and what they add up to. */
    private final class Step {
        private final Connection connection;
        private final Dispatch dispatch;
        private final @Nullable Poison poison;
        private final Map<Aggregate, Parked> parked;
        private final Map<What, Integer> counts = new EnumMap<>(What.class);
        private final List<Undecodable> garbage = new ArrayList<>();
        private final List<String> gaps = new ArrayList<>();
        private final Set<Aggregate> healed = new LinkedHashSet<>();

        Step(Connection connection, RowBatch rows, @Nullable Poison poison, Map<Aggregate, Parked> parked) {
            this.connection = connection;
            this.dispatch = new Dispatch(config, connection, rows);
            this.poison = poison;
            this.parked = parked;
        }

        private @Nullable Stop passOver() {
            count(What.DUPLICATES);
            return null;
        }

        private @Nullable Stop take(Incoming incoming) throws Exception {
            if (incoming instanceof Decoded decoded) {
                return takeEvent(decoded);
            }
            Undecodable undecodable = (Undecodable) incoming;
            if (config.policy().garbage() == Garbage.REFUSE) {
                return new Stop(
                        "the record at offset " + undecodable.record().offset() + " is not an event: "
                                + undecodable.reason(),
                        "remove its cause, then go on behind it: " + sqlToSkip(undecodable)
                                + "; or set onGarbage(SKIP)");
            }
            garbage.add(undecodable);
            count(What.GARBAGE);
            return null;
        }

        private @Nullable Stop takeEvent(Decoded decoded) throws Exception {
            Event<byte[]> event = decoded.event();
            if (config.passesOver(event)) {
                count(What.SKIPPED);
                return null;
            }
            boolean known = dispatch.handles(event.type());
            String refused = known ? null : config.handlers().refused(event.type());
            if (refused != null) {
                return unknownType(refused, decoded);
            }
            try {
                return takeNew(decoded, known);
            } catch (NoHandlerException e) {
                return unknownType(e.type(), decoded);
            }
        }

        private @Nullable Stop takeNew(Decoded decoded, boolean known) throws Exception {
            Event<byte[]> event = decoded.event();
            Parked behind = parked.isEmpty() ? null : parked.get(Aggregate.of(event));
            if (behind != null) {
                takeOfParked(decoded, behind, known);
                return null;
            }
            long last = hasNumber(event) ? sequences.last(event) : 0;
            Missing missing = last == 0 ? null : parking.missing(connection, event, last);
            if (missing != null) {
                return parkForMissing(decoded, last, missing);
            }
            if (poison != null && known) {
                return parkPoison(decoded, last, poison);
            }
            apply(decoded, known);
            // A foreign producer's number says something only of an aggregate whose numbers are known
            if (hasNumber(event) && (event.position() != null || last > 0)) {
                sequences.applied(event, last);
            }
            return null;
        }

        /** Whether its sequence may say something about the events before it. */
        private boolean hasNumber(Event<?> event) {
            return event.sequence() != null && config.policy().sequenceGap() == SequenceGap.PARK;
        }

        private void takeOfParked(Decoded decoded, Parked behind, boolean known) throws Exception {
            Event<byte[]> event = decoded.event();
            if (behind.waitsFor(event) && poison == null) {
                apply(decoded, known);
                Aggregate aggregate = Aggregate.of(event);
                parking.applied(connection, aggregate, behind);
                healed.add(aggregate);
            } else if (behind.waitsFor(event) && poison != null) {
                parking.parkAwaited(connection, decoded, poison.failure(), behind);
                count(What.PARKED);
            } else if (known || hasNumber(event)) {
                parking.park(connection, decoded, null);
                count(What.PARKED);
            } else {
                count(What.SKIPPED);
            }
        }

        private void apply(Decoded decoded, boolean known) throws Exception {
            if (known) {
                dispatch.handle(decoded);
            }
            count(known ? What.APPLIED : What.SKIPPED);
        }

        private Stop unknownType(String type, Decoded decoded) {
            String original = decoded.event().type();
            return new Stop(
                    "there is no handler for type " + type
                            + (original.equals(type) ? "" : ", made by upcasters of " + original)
                            + " of the event at offset " + decoded.event().offset(),
                    "deploy one, or an upcaster, or set onUnknownType(SKIP), or go on behind it, which parks what"
                            + " follows of its aggregate unless gaps are ignored: "
                            + sqlToSkip(decoded));
        }

        private @Nullable Stop parkPoison(Decoded decoded, long last, Poison reason) throws SQLException {
            if (isFull()) {
                return new Stop(
                        parkedMax() + " aggregates are parked, so it is the handler that is broken; now with "
                                + Failures.describe(reason.error()),
                        "see tributary.parked_event, mend the handler and restart, or raise parkedAggregatesMax");
            }
            park(decoded, reason.failure(), last, null);
            return null;
        }

        private @Nullable Stop parkForMissing(Decoded decoded, long last, Missing missing) throws SQLException {
            if (isFull()) {
                return new Stop(
                        parkedMax() + " aggregates are parked, so it is more than single events that did not come; now "
                                + Aggregate.of(decoded.event()) + ": " + missing.describe(),
                        "see tributary.parked_event, have the missing events sent again, or raise parkedAggregatesMax");
            }
            String what = missing.describe() + whereFrom(decoded.event(), last);
            park(decoded, new Failure(what, null, 0), last, missing);
            gaps.add(Aggregate.of(decoded.event()) + ": " + what);
            return null;
        }

        /** A hole between history and live events is nothing that comes late. */
        private String whereFrom(Event<?> event, long last) {
            return sequences.isLastOfHistory(event)
                    ? " between the replayed history, which ends with " + last
                            + ", and live events: they were lost there, so replay to another topic and build from that"
                    : "";
        }

        private void park(Decoded decoded, Failure failure, long last, @Nullable Missing missing) throws SQLException {
            parked.put(
                    Aggregate.of(decoded.event()), parking.parkAggregate(connection, decoded, failure, last, missing));
            count(What.PARKED);
        }

        private boolean isFull() throws SQLException {
            return parking.aggregates(connection, parkedMax()) >= parkedMax();
        }

        private int parkedMax() {
            return config.limits().parkedAggregatesMax();
        }

        private String sqlToSkip(Incoming incoming) {
            return positions.sqlToGoOnAt(incoming.record().offset() + 1);
        }

        private void count(What what) {
            counts.merge(what, 1, Integer::sum);
        }
    }
}
