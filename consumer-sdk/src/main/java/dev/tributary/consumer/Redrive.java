package dev.tributary.consumer;

import dev.tributary.consumer.Incoming.Decoded;
import dev.tributary.consumer.LiveCounters.What;
import dev.tributary.consumer.ParkedEvent.Failure;
import dev.tributary.consumer.Parking.Poison;
import dev.tributary.consumer.Redriven.Failed;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs one aggregate's parked events, in their order, through the handlers of today. Each is removed in the transaction
 * that applies it.
 *
 * <p>Every such transaction first locks the position of the partition that the events came from, as each live batch does
 * with its own. So a batch sees all of a transaction's effects or none, and parks a later event behind those that are
 * left, or applies it when none is. Redrives wait for each other in the same way.
 */
final class Redrive {
    private static final Logger LOG = LoggerFactory.getLogger(Redrive.class);
    private static final int PASSING_FAILURES_MAX = 20;
    /** Of them, after how many that live batches caused a redrive has all batches wait for it. */
    private static final int CROWDED_OUT_MAX = 5;

    private final SubscriptionConfig config;
    private final ParkedStore store;
    private final ParkedSequences sequences;
    private final ParkedOrder order;
    private final Function<TopicPartition, LiveCounters> counters;
    private final Transactions transactions;
    private final EventDecoder decoder = new EventDecoder();

    Redrive(SubscriptionConfig config, Function<TopicPartition, LiveCounters> counters) {
        this.config = config;
        this.store = new ParkedStore(config.name());
        this.sequences = new ParkedSequences(config.name());
        this.order = new ParkedOrder(config);
        this.counters = counters;
        this.transactions = new Transactions(config);
    }

    /** @param failed null if nothing of the aggregate is parked any more */
    record Result(long events, @Nullable Failed failed) {}

    private sealed interface Attempt {
        /** @param noneLeft whether the aggregate is not parked any more */
        record Applied(int events, boolean noneLeft) implements Attempt {}

        /** The next one has not come; the one that came instead is said to wait for it. */
        record Waits(Failed behind) implements Attempt {}

        /**
         * Nothing was applied.
         *
         * @param index the one at which it failed; -1 if it cannot be told
         */
        record FailedAt(int index, List<ParkedEvent> events, Throwable error) implements Attempt {}

        /** The database could not be worked with, or was in the way. */
        record TryAgain(SQLException error) implements Attempt {}
    }

    /** @throws SQLException if the database could not be worked with for longer than it was tried */
    Result run(Aggregate aggregate) throws SQLException, InterruptedException {
        Backoff backoff = new Backoff(config.timeouts().retryMax());
        Doubts doubts = new Doubts(atATime());
        long events = 0;
        int passing = 0;
        int crowdedOut = 0;
        while (true) {
            Attempt attempt = attempt(aggregate, doubts.take, crowdedOut >= CROWDED_OUT_MAX);
            if (attempt instanceof Attempt.Applied applied) {
                events += applied.events();
                if (applied.noneLeft()) {
                    LOG.info("{}: redriven {}: {} events", config.name(), aggregate, events);
                    return new Result(events, null);
                }
                doubts = new Doubts(atATime());
                passing = 0;
                backoff.reset();
            } else if (attempt instanceof Attempt.Waits waits) {
                return new Result(events, waits.behind());
            } else if (attempt instanceof Attempt.FailedAt failed) {
                if (doubts.foundGuilty(failed)) {
                    return new Result(events, remember(failed.events().get(0), failed.error(), doubts.failures));
                }
            } else if (attempt instanceof Attempt.TryAgain later) {
                passing++;
                crowdedOut += Failures.isCrowdedOut(later.error()) ? 1 : 0;
                if (passing > PASSING_FAILURES_MAX) {
                    throw new SQLException(
                            "cannot redrive " + aggregate + " after " + events + " events: "
                                    + Failures.describe(later.error()),
                            later.error());
                }
                pause(backoff.next());
            }
        }
    }

    /** More than a live batch can add behind them meanwhile, or a busy aggregate would never be done. */
    private int atATime() {
        return (int) Math.min(Integer.MAX_VALUE, 2L * config.limits().batchEventsMax());
    }

    private Attempt attempt(Aggregate aggregate, int max, boolean alone) {
        try {
            Attempt attempt = transactions.run(connection -> {
                if (alone) {
                    keepAllBatchesOut(connection);
                }
                return attempt(connection, aggregate, max);
            });
            return attempt instanceof Attempt.FailedAt failed && Failures.isPassing(failed.error())
                    ? new Attempt.TryAgain(new SQLException(failed.error()))
                    : attempt;
        } catch (SQLException e) {
            return new Attempt.TryAgain(e);
        }
    }

    private Attempt attempt(Connection connection, Aggregate aggregate, int max) throws SQLException {
        if (config.feed() != null && !config.feed().mayClaim(connection)) {
            throw new SubscriptionException("the tables of " + config.name() + " are not to be fed now");
        }
        Optional<TopicPartition> partition = lock(connection, aggregate);
        if (partition.isEmpty()) {
            return new Attempt.Applied(0, true);
        }
        ParkedOrder.Next next = order.next(connection, aggregate, max);
        if (next.missing() != null) {
            return waits(connection, aggregate, next.events().get(0), next.missing());
        }
        if (!store.delete(connection, next.events())) {
            throw new SQLException("parked events of " + aggregate + " were removed by hand meanwhile");
        }
        Dispatch dispatch = new Dispatch(config, connection);
        for (int i = 0; i < next.events().size(); i++) {
            try {
                apply(dispatch, next.events().get(i));
            } catch (Throwable e) { // whatever a handler throws, an Error too, is this event's failure
                return new Attempt.FailedAt(i, next.events(), e);
            }
        }
        boolean noneLeft = next.events().isEmpty();
        try {
            noneLeft |= sequences.applied(connection, aggregate, order.lastSeen(connection, aggregate, next.last()));
            connection.commit();
        } catch (SQLException e) {
            if (Failures.leavesCommitUnknown(e) || next.events().isEmpty()) {
                // The next attempt finds what the database has
                throw e;
            }
            return new Attempt.FailedAt(-1, next.events(), e);
        }
        counters.apply(partition.get()).add(What.REDRIVEN, next.events().size());
        return new Attempt.Applied(next.events().size(), noneLeft);
    }

    /**
     * Above READ COMMITTED a transaction sees what there was at its first query, and fails at a position that a batch has moved
     * since: on a busy partition again and again. Locking a table is no query, so what comes behind it sees the last batch; all
     * others of this database wait, and so this is for those who have tried. Who has given up an answer must not leave a session
     * that gets the lock.
     */
    private void keepAllBatchesOut(Connection connection) throws SQLException {
        Transactions.endWhenFrozen(connection, config.timeouts());
        try (Statement lock = connection.createStatement()) {
            long lockMax = config.timeouts().database().toMillis() * 9 / 10;
            lock.execute("SET LOCAL lock_timeout = '" + lockMax + "ms'");
            lock.execute("LOCK TABLE tributary.subscription_position IN EXCLUSIVE MODE");
        }
    }

    /**
     * Keeps live batches, other redrives and discards away from a parked aggregate until the transaction ends.
     *
     * @return empty if it is not parked; what is parked from then on is kept away from by nobody
     */
    Optional<TopicPartition> lock(Connection connection, Aggregate aggregate) throws SQLException {
        Optional<TopicPartition> partition = store.partition(connection, aggregate);
        while (partition.isPresent()) {
            if (!PositionStore.of(config, partition.get()).lock(connection) && config.feed() != null) {
                throw new SubscriptionException("there is no position of " + partition.get() + " to redrive it beside");
            }
            Optional<TopicPartition> now = store.partition(connection, aggregate);
            if (now.isEmpty() || now.equals(partition)) {
                return now;
            }
            // Its events come from elsewhere since
            partition = now;
        }
        return partition;
    }

    private Attempt waits(Connection connection, Aggregate aggregate, ParkedEvent behind, Missing missing)
            throws SQLException {
        store.failed(connection, behind.number(), new Failure(missing.describe(), null, 0));
        sequences.waitsFor(connection, aggregate, missing);
        connection.commit();
        return new Attempt.Waits(new Failed(aggregate, behind.number(), behind.type(), missing.describe()));
    }

    private void apply(Dispatch dispatch, ParkedEvent event) throws Exception {
        Incoming incoming = decoder.decode(event.record());
        if (!(incoming instanceof Decoded decoded)) {
            throw new SubscriptionException(
                    "it cannot be read any more: " + ((Incoming.Undecodable) incoming).reason());
        }
        if (dispatch.handles(decoded.event().type())) {
            dispatch.handle(decoded);
        } else if (wasTried(event) || config.handlers().refused(event.type()) != null) {
            throw new SubscriptionException(
                    "there is no handler for type " + event.type() + " here: deploy one, or discard the event");
        }
    }

    private static boolean wasTried(ParkedEvent event) {
        return event.failure() != null && event.failure().attempts() > 0;
    }

    private Failed remember(ParkedEvent event, Throwable error, int attempts) throws SQLException {
        Failure failure = new Poison(error, attempts).failure();
        transactions.runReadCommitted(connection -> {
            if (lock(connection, event.aggregate()).isPresent()) {
                store.failed(connection, event.number(), failure);
                sequences.waitsFor(connection, event.aggregate(), null);
                connection.commit();
            }
            return failure;
        });
        LOG.warn(
                "{}: redrive: {} stays parked: event {} of type {} cannot be applied",
                config.name(),
                event.aggregate(),
                event.id(),
                event.type(),
                error);
        return new Failed(event.aggregate(), event.number(), event.type(), failure.error());
    }

    private static void pause(Duration duration) throws InterruptedException {
        Thread.sleep(duration.toMillis());
    }

    /** Takes fewer and fewer events at a time after failures, until one has failed alone, and twice. */
    private static final class Doubts {
        private int take;
        private long suspect = -1;
        private int failures;

        Doubts(int take) {
            this.take = take;
        }

        boolean foundGuilty(Attempt.FailedAt failed) {
            int size = failed.events().size();
            boolean firstFailed = failed.index() == 0 || size == 1;
            if (!firstFailed) {
                take = failed.index() < 0 ? size / 2 : failed.index();
                return false;
            }
            long first = failed.events().get(0).number();
            failures = suspect == first ? failures + 1 : 1;
            suspect = first;
            take = 1;
            return failures >= BatchParts.ATTEMPTS_BEFORE_PARKING && size == 1;
        }
    }
}
