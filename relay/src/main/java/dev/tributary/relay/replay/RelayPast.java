package dev.tributary.relay.replay;

import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.history.Lineage;
import dev.tributary.relay.replay.HistoryReplay.Account;
import dev.tributary.relay.sink.Kafka;
import dev.tributary.relay.sink.PublishedMarks;
import dev.tributary.relay.sink.Topics;
import dev.tributary.relay.source.SourceDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.postgresql.replication.LogSequenceNumber;

/**
 * Waits until the relay has come past an LSN. Only then is it settled which events of before have been relayed in their places, and
 * which are set aside and will get later ones; nor can a recovery publish any of them once more.
 */
final class RelayPast {
    private static final Duration LOOK_INTERVAL = Duration.ofMillis(200);
    private static final Duration TELL_INTERVAL = Duration.ofSeconds(5);
    private static final Duration STANDSTILL_MAX = Duration.ofSeconds(60);

    private final SourceConfig source;
    private final Kafka kafka;
    private final SourceDatabase database;
    private final Account account;

    RelayPast(SourceConfig source, Kafka kafka, SourceDatabase database, Account account) {
        this.source = source;
        this.kafka = kafka;
        this.database = database;
        this.account = account;
    }

    /**
     * Returns the mark that says so.
     *
     * @throws RelayException if the relay does not come nearer, or the database is not what it relays
     */
    ProgressMark await(long lsn) throws SQLException {
        database.writeOut();
        Long reached = null;
        long movedNanos = System.nanoTime();
        long toldNanos = System.nanoTime();
        while (true) {
            ProgressMark mark = mark();
            Lineage lineage = Lineage.of(mark, database);
            if (!lineage.isUnbroken()) {
                throw new RelayException.Stopped(
                        lineage.difference(), "correct the source's url, or run `recover` first", null);
            }
            Long marked = lineage.markedLsn();
            if (mark != null && marked != null && Long.compareUnsigned(marked, lsn) >= 0) {
                return mark;
            }
            long now = System.nanoTime();
            if (marked != null && !marked.equals(reached)) {
                reached = marked;
                movedNanos = now;
            } else if (now - movedNanos > STANDSTILL_MAX.toNanos()) {
                throw new RelayException(
                        "the relay of source " + source.name() + " "
                                + (marked == null ? "has published nothing yet" : "stands still at " + text(marked))
                                + ", and a replay needs it to come to " + text(lsn),
                        "start it ('relay run'), or see what 'relay status' says; then run this again",
                        null);
            }
            if (now - toldNanos > TELL_INTERVAL.toNanos()) {
                toldNanos = now;
                account.say("waiting for the relay, which is at " + text(marked) + ", to come to " + text(lsn));
            }
            rest();
        }
    }

    /** The last one of the epoch in force; null if there is none. */
    private @Nullable ProgressMark mark() {
        try (Topics topics = kafka.topics(source.name())) {
            if (topics.existing(ProgressMark.topicOf(source.name())::equals).isEmpty()) {
                return null;
            }
        }
        ProgressMark last =
                PublishedMarks.read(kafka, source.name(), System::nanoTime).highest();
        return last == null || last.epoch() < source.epoch() ? null : last;
    }

    static String text(@Nullable Long lsn) {
        return lsn == null ? "its beginning" : LogSequenceNumber.valueOf(lsn).asString();
    }

    private static void rest() {
        try {
            TimeUnit.NANOSECONDS.sleep(LOOK_INTERVAL.toNanos());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RelayException("interrupted while waiting for the relay", "run it again", e);
        }
    }
}
