package dev.tributary.relay.source.debezium;

import dev.tributary.relay.config.SourceConfig;
import io.debezium.embedded.Connect;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.DebeziumEngine.ChangeConsumer;
import io.debezium.engine.DebeziumEngine.Offsets;
import io.debezium.engine.DebeziumEngine.RecordCommitter;
import io.debezium.engine.RecordChangeEvent;
import io.debezium.engine.format.ChangeEventFormat;
import io.debezium.engine.spi.OffsetCommitPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.connect.source.SourceRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Debezium's engine on threads of its own, which end with it. It hands its batches over one by one, and confirms to the
 * server what it is told, and nothing else: on the thread that hands over, as Debezium wants it.
 */
final class RunningEngine implements ChangeConsumer<RecordChangeEvent<SourceRecord>>, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RunningEngine.class);
    private static final Duration OFFER = Duration.ofMillis(50);
    private static final Duration LAST_CONFIRMATION_MAX = Duration.ofSeconds(1);
    private static final Duration CLOSE_MAX = Duration.ofSeconds(10);

    private final DebeziumEngine<RecordChangeEvent<SourceRecord>> engine;
    private final Thread thread;
    private final BlockingQueue<List<RecordChangeEvent<SourceRecord>>> batches = new ArrayBlockingQueue<>(1);
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile @Nullable Throwable failure;
    private volatile boolean closing;
    private volatile long toConfirm;
    private volatile long confirmed;
    private long marked;

    /** Starts it; what it finds comes later. */
    RunningEngine(SourceConfig source, long confirmedLsn) {
        toConfirm = confirmedLsn;
        marked = confirmedLsn;
        confirmed = confirmedLsn;
        engine = DebeziumEngine.create(ChangeEventFormat.of(Connect.class))
                .using(EngineSettings.of(source))
                .using(OffsetCommitPolicy.always())
                .using((success, message, error) -> {
                    failure = error == null && !success ? new IllegalStateException(message) : error;
                })
                .notifying(this)
                .build();
        thread = new Thread(this::run, "relay-" + source.name() + "-debezium");
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        try {
            engine.run();
        } catch (RuntimeException | Error e) {
            failure = e;
        } finally {
            ended.countDown();
        }
    }

    @Override
    public void handleBatch(
            List<RecordChangeEvent<SourceRecord>> batch, RecordCommitter<RecordChangeEvent<SourceRecord>> committer)
            throws InterruptedException {
        confirmed = marked; // by Debezium, on its way here from where it was told
        RecordChangeEvent<SourceRecord> any = batch.get(0);
        confirmNews(any, committer);
        while (!batches.offer(batch, OFFER.toMillis(), TimeUnit.MILLISECONDS)) {
            if (closing) {
                return;
            }
            confirmNews(any, committer);
        }
    }

    /** Debezium passes on the offset of the last record marked as processed; it may be one that was never read. */
    private void confirmNews(
            RecordChangeEvent<SourceRecord> any, RecordCommitter<RecordChangeEvent<SourceRecord>> committer)
            throws InterruptedException {
        long lsn = toConfirm;
        if (lsn > marked) {
            Offsets offsets = committer.buildOffsets();
            for (String key : List.of("lsn", "lsn_proc", "lsn_commit")) {
                offsets.set(key, lsn);
            }
            committer.markProcessed(any, offsets);
            committer.markBatchFinished();
            marked = lsn;
        }
    }

    /** The next batch; null if none comes in time, or none will. */
    @Nullable
    List<RecordChangeEvent<SourceRecord>> next(Duration atMost) {
        try {
            return batches.poll(atMost.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }

    boolean hasEnded() {
        return ended.getCount() == 0;
    }

    /** Why it ended; null if it was asked to. */
    @Nullable
    Throwable failure() {
        return failure;
    }

    /** What the server is to be told. */
    void confirm(long lsn) {
        toConfirm = lsn;
    }

    @Override
    public void close() {
        awaitLastConfirmation();
        closing = true;
        batches.clear();
        long deadline = System.nanoTime() + CLOSE_MAX.toNanos();
        boolean told = false;
        while (!hasEnded() && System.nanoTime() < deadline) {
            told = told || tryClose();
            batches.clear();
            waitForEnd(Duration.ofMillis(20));
        }
        if (!hasEnded()) {
            LOG.warn("Debezium did not end within {}; its threads are left to themselves", CLOSE_MAX);
            thread.interrupt();
        }
    }

    /** So that the server need not send again what is in Kafka; if it does, nothing is lost. */
    private void awaitLastConfirmation() {
        long deadline = System.nanoTime() + LAST_CONFIRMATION_MAX.toNanos();
        while (confirmed < toConfirm && !hasEnded() && System.nanoTime() < deadline) {
            batches.clear();
            waitForEnd(Duration.ofMillis(5));
        }
    }

    private void waitForEnd(Duration atMost) {
        try {
            ended.await(atMost.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** False while it is starting, when it does not let itself be closed. */
    private boolean tryClose() {
        try {
            engine.close();
            return true;
        } catch (IllegalStateException | IOException e) {
            LOG.debug("Debezium does not close yet", e);
            return false;
        }
    }
}
