package dev.tributary.consumer;

import dev.tributary.consumer.PositionStore.Claim;
import dev.tributary.consumer.TopicProbe.Extent;
import dev.tributary.consumer.TopicProbe.Found;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** Claims a partition in the view's database and checks that Kafka still has what the view wants next. */
final class OpenPartition {
    private static final long NOWHERE = Long.MAX_VALUE;

    private final SubscriptionConfig config;
    private final TopicPartition partition;
    private final PositionStore positions;
    private final Parking parking;
    private final PartitionSequences sequences;
    private final TopicProbe probe;
    private final @Nullable ReplayedHistory history;
    private final AtomicLong truncatedAt = new AtomicLong(NOWHERE);

    OpenPartition(PartitionRows rows, TopicProbe probe, @Nullable ReplayedHistory history) {
        this.config = rows.config();
        this.partition = rows.partition();
        this.positions = rows.positions();
        this.parking = rows.parking();
        this.sequences = rows.sequences();
        this.probe = probe;
        this.history = history;
    }

    /** What came of it. */
    sealed interface Result {
        /**
         * It can be read.
         *
         * @param healed parked aggregates whose missing numbers have come
         * @param end the partition's end in Kafka
         */
        record Opened(Claim claim, boolean anyParked, List<Aggregate> healed, long end) implements Result {}

        /**
         * People have to act.
         *
         * @param claim null if it was not even claimed
         */
        record Stopped(Stop stop, @Nullable Claim claim) implements Result {}

        /** It is not its turn. */
        record Waits() implements Result {}

        /** It may work later. */
        record NotYet(String reason) implements Result {}
    }

    /**
     * Has the next claim find out if the view includes what Kafka has lost; for any thread.
     *
     * @param offset the first at which Kafka may have something else now than what was read
     */
    void truncated(long offset) {
        truncatedAt.set(offset);
    }

    Result attempt() throws InterruptedException {
        try {
            Result turn = history == null ? null : history.turnOf(partition);
            if (turn != null) {
                return turn;
            }
            Extent extent = probe.extent(partition);
            return claim(extent, start(extent));
        } catch (ExecutionException e) {
            return new Result.NotYet("cannot find the partition in Kafka: "
                    + Failures.describe(e.getCause() == null ? e : e.getCause()));
        } catch (TimeoutException e) {
            return new Result.NotYet("Kafka does not answer");
        } catch (SQLException e) {
            return new Result.NotYet("cannot claim the partition in the view's database: " + Failures.describe(e)
                    + ConsumerSchema.remedy(e));
        }
    }

    /** Where to start if the database knows no position. */
    private long start(Extent extent) throws InterruptedException, ExecutionException, TimeoutException {
        if (config.feed() != null) {
            return start(extent, config.feed().history());
        }
        return config.policy().startFrom() == StartFrom.EARLIEST ? extent.earliest() : extent.end();
    }

    /** Before what Kafka has, if that is where history begins. */
    private long start(Extent extent, History history)
            throws InterruptedException, ExecutionException, TimeoutException {
        if (history.from() == null) {
            return history.extent() == History.Extent.REMAINING ? extent.earliest() : 0;
        }
        Found found = probe.firstSince(partition, history.from());
        if (found == null) {
            return extent.end();
        }
        // The oldest that is left says nothing about those before it, unless it is older than what is asked for
        boolean earlierOnesMayBeMissing = found.offset() == extent.earliest()
                && extent.earliest() > 0
                && found.time() > history.from().toEpochMilli();
        return earlierOnesMayBeMissing ? extent.earliest() - 1 : found.offset();
    }

    private Result claim(Extent before, long start)
            throws SQLException, InterruptedException, ExecutionException, TimeoutException {
        try (Connection connection = config.dataSource().getConnection()) {
            Databases.limitAnswerTime(connection, config.timeouts().database());
            connection.setAutoCommit(false);
            // A row that is not committed yet has no holder that anybody could find. Feeds may have it end sooner
            Transactions.endWhenFrozen(connection, config.timeouts());
            if (config.feed() != null && !config.feed().mayClaim(connection)) {
                connection.rollback();
                return new Result.NotYet("the tables are not to be fed now");
            }
            if (history != null && !history.isTurnOf(connection, partition)) {
                connection.rollback();
                return new Result.Waits();
            }
            Claim claim = positions.claim(connection, before.topicId(), start);
            boolean anyParked = parking.aggregates(connection, 1) > 0;
            List<Aggregate> healed = anyParked ? parking.healed(connection) : List.of();
            // Only now: what a redrive elsewhere writes with its last parked event is read here, or was still parked
            // above
            sequences.load(connection);
            connection.rollback();
            // Whoever had the partition may have read on since Kafka was asked, for as long as this process was frozen
            Extent extent = claim.progress().nextOffset() > before.end() ? probe.extent(partition) : before;
            long truncated = truncatedAt.get();
            Long lostFrom = lostFrom(claim, extent, truncated);
            if (lostFrom != null && claim.lostFrom() == null) {
                positions.rememberLoss(connection, claim, lostFrom);
            }
            truncatedAt.compareAndSet(truncated, NOWHERE);
            Stop stop = whyNotFrom(claim, extent, lostFrom);
            if (stop != null && config.feed() != null && isNew(claim, start)) {
                positions.giveBack(connection, claim);
            }
            return stop == null
                    ? new Result.Opened(claim, anyParked, healed, extent.end())
                    : new Result.Stopped(stop, claim);
        }
    }

    private static boolean isNew(Claim claim, long start) {
        return claim.progress().nextOffset() == start
                && claim.progress().positions().isEmpty();
    }

    /**
     * Where Kafka may have something else now than what the view has read there; null if nowhere. An end before the
     * position does not tell where: other records may have come since the loss.
     */
    private static @Nullable Long lostFrom(Claim claim, Extent extent, long truncated) {
        long next = claim.progress().nextOffset();
        if (!claim.topicId().equals(extent.topicId())) {
            return null;
        }
        if (claim.lostFrom() != null) {
            return claim.lostFrom();
        }
        if (truncated < next) {
            return truncated;
        }
        return next > extent.end() ? extent.earliest() : null;
    }

    private @Nullable Stop whyNotFrom(Claim claim, Extent extent, @Nullable Long lostFrom) {
        long next = claim.progress().nextOffset();
        if (!claim.topicId().equals(extent.topicId())) {
            return new Stop(
                    "the topic was recreated: it has id " + extent.topicId() + ", and the position at offset " + next
                            + " belongs to " + claim.topicId(),
                    "to read the new topic from its beginning, dropping what the view has by position: "
                            + positions.sqlToAccept(extent.topicId()));
        }
        if (next < extent.earliest()) {
            return new Stop(
                    "events are missing: the view wants offset " + next + ", and Kafka has deleted everything before "
                            + extent.earliest() + ", so that " + (extent.earliest() - next) + " offsets are gone",
                    config.feed() != null
                            ? "have the source's events sent again (relay replay), or build from what there is on"
                                    + " purpose: History.since(time), or History.remaining()"
                            : "build the view anew, or accept the loss: " + positions.sqlToGoOnAt(extent.earliest()));
        }
        if (lostFrom != null) {
            return new Stop(
                    "Kafka has lost records that the view includes, among offsets " + lostFrom + " to " + (next - 1)
                            + ", and others may have taken their places",
                    "go back, dropping what the view has by position (events without one would be applied again): "
                            + positions.sqlToGoOnAt(Math.max(lostFrom, extent.earliest())));
        }
        return null;
    }
}
