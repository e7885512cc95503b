package dev.tributary.consumer;

import dev.tributary.consumer.LiveCounters.What;
import dev.tributary.consumer.OpenPartition.Result;
import dev.tributary.consumer.PositionStore.Claim;
import dev.tributary.consumer.PositionStore.Progress;
import dev.tributary.consumer.RecordBuffer.Seek;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Applies one partition's events for as long as this instance has it: claim it in the database, say where to read, apply
 * batch after batch; after anything doubtful claim it again and believe only what the database says.
 *
 * <p>Runs in a thread of its own. The package-private methods are for the polling thread, which feeds and ends it.
 */
final class PartitionWorker implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(PartitionWorker.class);
    /** Longer than a revived instance needs to hear that it has lost its partitions, so that it does not claim them. */
    private static final Duration AFTER_FENCED = Duration.ofSeconds(1);

    /** How long a position that was put back, by people or with the whole database, may go unnoticed while nothing comes. */
    private static final Duration IDLE_LOOK_EVERY = Duration.ofSeconds(3);

    /** So that a feed which lets nothing through is heard when it does, and the end of this worker is too. */
    private static final Duration FEED_ASKED_EVERY = Duration.ofMillis(100);

    /** Whether it is this partition's turn. */
    private static final Duration HISTORY_ASKED_EVERY = Duration.ofMillis(500);

    private final SubscriptionConfig config;
    private final TopicPartition partition;
    private final LiveCounters counters;
    private final Runnable wakePolling;
    private final Runnable afterCommit;
    private final OpenPartition opening;
    private final BatchTransaction transaction;
    private final Redrive redrive;
    private final RecordBuffer buffer;
    private final BatchSize batchSize;
    private final PartitionStanding standing;
    private final Backoff backoff;
    private final CountDownLatch ending = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread thread;
    private volatile @Nullable Claim claim;
    private volatile @Nullable Progress progress;
    private volatile boolean reopen;
    private @Nullable Refusal refusal;

    /** Why the view does not go on from an offset, until people move it. */
    private record Refusal(Stop stop, long nextOffset) {}

    PartitionWorker(
            SubscriptionConfig config,
            TopicPartition partition,
            TopicProbe probe,
            LiveCounters counters,
            Runnable wakePolling,
            Runnable afterCommit,
            @Nullable ReplayedHistory history) {
        this.config = config;
        this.partition = partition;
        this.counters = counters;
        this.wakePolling = wakePolling;
        this.afterCommit = afterCommit;
        PartitionRows rows = PartitionRows.of(config, partition, history == null ? null : history.before(partition));
        opening = new OpenPartition(rows, probe, history);
        transaction = new BatchTransaction(rows);
        redrive = new Redrive(config, p -> counters);
        buffer = new RecordBuffer(config.limits(), config.handlers(), wakePolling);
        batchSize = new BatchSize(config.limits().batchEventsMax());
        standing = new PartitionStanding(config.name(), partition, counters);
        backoff = new Backoff(config.timeouts().retryMax());
        thread = new Thread(this, "tributary-" + config.name() + "-" + partition);
    }

    @Override
    public void run() {
        try {
            while (!isEnding()) {
                openAndApply();
                buffer.refuse();
            }
        } finally {
            buffer.refuse();
            ended.countDown();
        }
    }

    private void openAndApply() {
        try {
            try {
                Claim claimed = open();
                if (claimed != null) {
                    applyBatches(claimed);
                }
            } catch (RuntimeException | Error e) { // a thread that ended here would keep the partition from all others
                LOG.error("{} {}: failed in an unforeseen way", config.name(), partition, e);
                stay(new Stop(Failures.describe(e), "none if it passes: it is tried again; otherwise report this"));
            }
        } catch (InterruptedException e) {
            if (isEnding()) {
                LOG.debug("{} {}: cut", config.name(), partition);
            } else {
                // Only end() is for ending this thread
                standing.retrying("interrupted, perhaps by a handler");
            }
        }
    }

    /** Claims the partition and has it read from where the view is; null, after a pause, if that is not possible now. */
    private @Nullable Claim open() throws InterruptedException {
        reopen = false;
        Result result = opening.attempt();
        if (result instanceof Result.Opened opened) {
            return begin(opened);
        }
        if (result instanceof Result.NotYet notYet) {
            standing.retrying(notYet.reason());
            pause(backoff.next());
        } else if (result instanceof Result.Waits) {
            pause(HISTORY_ASKED_EVERY);
        } else if (result instanceof Result.Stopped stopped) {
            if (stopped.claim() != null) {
                standing.progress(stopped.claim().progress());
            }
            stay(stopped.stop());
        }
        return null;
    }

    private @Nullable Claim begin(Result.Opened opened) throws InterruptedException {
        Progress found = opened.claim().progress();
        standing.progress(found);
        standing.end(opened.end());
        if (refusal != null && refusal.nextOffset() == found.nextOffset()) {
            stay(refusal.stop());
            return null;
        }
        transaction.mayHaveParked(opened.anyParked());
        progress = found;
        claim = opened.claim();
        buffer.readFrom(found.nextOffset());
        wakePolling.run();
        standing.running();
        redrive(opened.healed());
        return opened.claim();
    }

    private void applyBatches(Claim claimed) throws InterruptedException {
        boolean stillMine = true;
        while (stillMine && !isEnding() && !reopen) {
            List<Incoming> batch = buffer.take(batchSize.next(), IDLE_LOOK_EVERY);
            Feed feed = config.feed();
            if (batch.isEmpty()) {
                stillMine = isEnding() || reopen || settleIdle(transaction.look(claimed, progress()));
            } else {
                stillMine = feed == null ? apply(claimed, batch) : applyAsLet(feed, claimed, batch);
            }
        }
    }

    /** False if the partition has to be opened again. */
    private boolean settleIdle(@Nullable Outcome doubtful) throws InterruptedException {
        if (doubtful == null) {
            standing.running();
            backoff.reset();
            return true;
        }
        return settle(doubtful, new BatchParts(List.of()));
    }

    /** Applies all of it, as the feed lets it; false if the partition has to be opened again. */
    private boolean applyAsLet(Feed feed, Claim claimed, List<Incoming> batch) throws InterruptedException {
        int done = 0;
        while (done < batch.size() && !isEnding() && !reopen) {
            long stop = feed.stopBefore(partition);
            int from = done;
            int let = (int) batch.stream()
                    .skip(from)
                    .takeWhile(each -> each.record().offset() < stop)
                    .count();
            Duration wait = let == 0 ? FEED_ASKED_EVERY : feed.pauseBefore(partition, let);
            if (wait.isZero()) {
                if (!apply(claimed, batch.subList(from, from + let))) {
                    return false;
                }
                done += let;
            } else {
                pause(wait.compareTo(FEED_ASKED_EVERY) < 0 ? wait : FEED_ASKED_EVERY);
            }
        }
        return true;
    }

    /** Applies all of it, in as many transactions as it takes; false if the partition has to be opened again. */
    private boolean apply(Claim claimed, List<Incoming> batch) throws InterruptedException {
        BatchParts parts = new BatchParts(batch);
        boolean goOn = true;
        while (goOn && !parts.isEmpty() && !isEnding()) {
            long begun = System.nanoTime();
            Outcome outcome = transaction.attempt(parts.first(), claimed, progress(), parts.poison());
            if (outcome instanceof Outcome.Committed) {
                batchSize.took(parts.first().size(), Duration.ofNanos(System.nanoTime() - begun));
            }
            goOn = settle(outcome, parts);
        }
        return goOn;
    }

    private boolean settle(Outcome outcome, BatchParts parts) throws InterruptedException {
        if (outcome instanceof Outcome.Committed done) {
            committed(done);
            parts.firstCommitted();
            return true;
        }
        if (outcome instanceof Outcome.Failed failed) {
            return isEnding() || settleFailure(failed, parts);
        }
        if (outcome instanceof Outcome.NotBegun notBegun) {
            return isEnding() || tryAgain(notBegun.error());
        }
        if (outcome instanceof Outcome.Refused refused) {
            return parts.splitBefore(refused.index()) || stop(refused.stop());
        }
        if (outcome instanceof Outcome.CommitUnknown unknown) {
            standing.retrying("connection lost while committing, so the database has to say what it has: "
                    + Failures.describe(unknown.error()));
            // A new owner may have ended the session
            pause(AFTER_FENCED);
        } else {
            counters.add(What.FENCED, 1);
            standing.retrying(
                    "fenced: another instance has claimed the partition, or its position was changed by hand");
            pause(AFTER_FENCED);
        }
        return false;
    }

    private boolean settleFailure(Outcome.Failed failed, BatchParts parts) throws InterruptedException {
        if (Failures.isPassing(failed.error())) {
            return tryAgain(failed.error());
        }
        if (!parts.firstFailed(failed.index(), failed.error())) {
            return stop(new Stop(
                    "cannot park an event: " + Failures.describe(failed.error()),
                    "mend what keeps tributary.parked_event and parked_aggregate from being written, and restart"
                            + (failed.error() instanceof SQLException e ? ConsumerSchema.remedy(e) : "")));
        }
        if (parts.poison() != null && parts.first().get(0) instanceof Incoming.Decoded decoded) {
            standing.poison(decoded.event(), failed.error());
        }
        return true;
    }

    private boolean tryAgain(Throwable error) throws InterruptedException {
        standing.retrying(Failures.describe(error));
        pause(backoff.next());
        return true;
    }

    private boolean stop(Stop stop) throws InterruptedException {
        refusal = new Refusal(stop, progress().nextOffset());
        stay(stop);
        return false;
    }

    private void stay(Stop stop) throws InterruptedException {
        standing.stopped(stop);
        pause(config.timeouts().retryMax());
    }

    private void committed(Outcome.Committed done) throws InterruptedException {
        progress = done.progress();
        standing.progress(done.progress());
        done.counts().forEach(counters::add);
        counters.add(What.BATCHES, 1);
        done.garbage().forEach(standing::garbage);
        done.gaps().forEach(standing::gap);
        standing.running();
        backoff.reset();
        afterCommit.run();
        redrive(done.healed());
    }

    /** What has waited for numbers that have come now. */
    private void redrive(Collection<Aggregate> healed) throws InterruptedException {
        for (Aggregate aggregate : healed) {
            try {
                redrive.run(aggregate);
            } catch (SQLException | SubscriptionException e) {
                // It is found again when the partition is opened next
                LOG.warn("{} {}: cannot redrive {}", config.name(), partition, aggregate, e);
            }
        }
    }

    private Progress progress() {
        return Objects.requireNonNull(progress, "opened");
    }

    private boolean isEnding() {
        return ending.getCount() == 0;
    }

    /** A pause that {@link #end} ends. */
    private void pause(Duration duration) throws InterruptedException {
        var unused = ending.await(duration.toMillis(), TimeUnit.MILLISECONDS);
    }

    void start() {
        thread.setDaemon(true);
        thread.start();
    }

    /** Where to read from now on, once for each time that the partition was opened; then {@link #accept}. */
    @Nullable
    Seek takeSeek() {
        return buffer.takeSeek();
    }

    /** Takes what is read from there on, unless it is to be read from elsewhere by now. */
    void accept(Seek reached) {
        buffer.accept(reached);
    }

    boolean wantsMore() {
        return buffer.wantsMore();
    }

    /** @param kafkaEnd the partition's end as the poll has shown it; null if it has not */
    void offer(List<ConsumerRecord<byte[], byte[]>> records, @Nullable Long kafkaEnd) {
        buffer.offer(records);
        if (kafkaEnd != null) {
            standing.end(kafkaEnd);
        }
    }

    /** What the last probe has found; another topic of the same name makes the partition be opened again. */
    void probed(@Nullable String topicId, @Nullable Long kafkaEnd) {
        Claim known = claim;
        if (topicId != null && known != null && !known.topicId().equals(topicId)) {
            reopen();
        }
        if (kafkaEnd != null) {
            standing.end(kafkaEnd);
        }
    }

    /** Kafka does not have what is asked for; opening again finds out why. */
    void reopen() {
        reopen = true;
        buffer.refuse();
        buffer.wake();
    }

    /** Kafka does not have any more what was read from {@code offset} on. */
    void truncated(long offset) {
        opening.truncated(offset);
        reopen();
    }

    /** Asks it to finish its transaction and end. */
    void end() {
        ending.countDown();
        buffer.wake();
    }

    boolean awaitEnd(Duration max) throws InterruptedException {
        return ended.await(max.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Makes its transaction fail, if it has one. */
    void cut() {
        transaction.cut();
        thread.interrupt();
    }

    /** The offset to show to Kafka's lag tools; null if there is none yet. */
    @Nullable
    Long committedOffset() {
        Progress at = progress;
        return at == null ? null : at.nextOffset();
    }

    PartitionStatus status() {
        return standing.read();
    }
}
