package dev.tributary.consumer;

import dev.tributary.consumer.Incoming.Decoded;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Applies a batch in one transaction: move the position, which locks it, run the handlers, commit. All of it
 * or nothing; which of the two is the {@link Outcome}. One thread attempts, another may {@link #cut}.
 */
final class BatchTransaction {
    private final SubscriptionConfig config;
    private final PartitionRows partition;
    private final PositionStore positions;
    private final Parking parking;
    private final PartitionSequences sequences;
    private final Tables tables = new Tables();
    private final Object connectionLock = new Object();
    private @Nullable Connection current;
    /** Changed by commits alone: what a failed attempt has seen may have been undone with the database it was seen in. */
    private boolean mayHaveParked = true;

    BatchTransaction(PartitionRows partition) {
        this.config = partition.config();
        this.partition = partition;
        this.positions = partition.positions();
        this.parking = partition.parking();
        this.sequences = partition.sequences();
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
        ApplyEvents events = new ApplyEvents(partition, connection, rows, poison, parked);
        Outcome ended = applyAll(batch, repeats, events, rows);
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
        mayHaveParked = anyParked || events.hasParked();
        sequences.committed();
        return events.committed(repeats.progressAfter());
    }

    /** Null if the transaction may be committed. */
    private static @Nullable Outcome applyAll(
            List<Incoming> batch, Repeats repeats, ApplyEvents events, RowBatch rows) {
        for (int i = 0; i < batch.size(); i++) {
            try {
                rows.begin(i);
                Stop stop = repeats.contains(i) ? events.passOver() : events.take(batch.get(i));
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
}
