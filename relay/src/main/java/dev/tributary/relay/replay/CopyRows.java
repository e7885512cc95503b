package dev.tributary.relay.replay;

import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.Replay;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.replay.HistoryReplay.Account;
import dev.tributary.relay.routing.EventRouter;
import dev.tributary.relay.sink.ReplayTopic;
import dev.tributary.relay.source.HistoryRows;
import dev.tributary.relay.source.HistoryRows.Place;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Sends the rows of one round, from the last one that counts on, and notes how far it is. Used by one thread. */
final class CopyRows {
    private static final Duration NOTE_INTERVAL = Duration.ofSeconds(2);

    private final ReplayTopic topic;
    private final Replay begun;
    private final ReplayNotes notes;
    private final Predicate<UUID> isWanted;
    private final Account account;
    private final EventRouter router;
    private final Speed speed;
    private final LongSupplier nanoTime;
    private final long startNanos;
    private long notedNanos;
    private long sent;
    private long done;
    private @Nullable OutboxEvent last;

    /** @param isWanted whether the event with an id is to be sent */
    CopyRows(
            SourceConfig source,
            ReplayTopic topic,
            Replay begun,
            ReplayNotes notes,
            Predicate<UUID> isWanted,
            long eventsPerSecondMax,
            Account account,
            LongSupplier nanoTime) {
        this.topic = topic;
        this.begun = begun;
        this.notes = notes;
        this.isWanted = isWanted;
        this.account = account;
        this.nanoTime = nanoTime;
        this.startNanos = nanoTime.getAsLong();
        this.notedNanos = startNanos;
        this.router = new EventRouter(source);
        this.sent = notes.sent();
        this.done = notes.done();
        this.speed = new Speed(eventsPerSecondMax, startNanos, notes.done());
    }

    void run(HistoryRows rows) throws SQLException {
        note(false);
        rows.copy(notes.place(), this::take);
        note(true);
        double seconds = Math.max(1e-3, (nanoTime.getAsLong() - startNanos) / 1e9);
        long events = sent - notes.sent();
        account.say(String.format(
                Locale.ROOT,
                "replayed %d events in %.1f s, %.0f per second; %s",
                events,
                seconds,
                events / seconds,
                whatComesNext()));
    }

    private String whatComesNext() {
        if (begun.isPart()) {
            return "it is a part of the history, from which no view can go on to live events";
        }
        if (begun.live().isEmpty()) {
            return "for a view to go on to live events, add to it with --resume once there is a topic of them";
        }
        return "live events go on at " + RelayPast.text(begun.lsn()) + " in epoch " + begun.epoch();
    }

    private void take(OutboxEvent event) {
        boolean again = last != null && event.id().equals(last.id()); // set aside once, and published again
        last = event;
        done++;
        if (!again && isWanted.test(event.id())) {
            send(event);
        }
        if (nanoTime.getAsLong() - notedNanos >= NOTE_INTERVAL.toNanos()) { // Kafka ends transactions that stay open
            note(false);
        }
    }

    private void send(OutboxEvent event) {
        long pause = speed.pauseBefore(sent - notes.sent(), nanoTime.getAsLong());
        while (pause > 0) {
            LockSupport.parkNanos(pause);
            pause = speed.pauseBefore(sent - notes.sent(), nanoTime.getAsLong());
        }
        Position position = new Position(begun.epoch(), begun.lsn() - 1, (int) sent);
        topic.send(router.repeat(event.at(position), begun.topic()));
        sent++;
    }

    private void note(boolean complete) {
        Place place = last == null ? notes.place() : Place.of(last);
        topic.note(ends -> new Replay(
                begun.source(),
                begun.topic(),
                begun.topicId(),
                complete,
                begun.epoch(),
                begun.lsn(),
                ends,
                begun.live(),
                begun.whole(),
                notes.at(sent, done, place).toJson()));
        notedNanos = nanoTime.getAsLong();
        account.progress(speed.progress(done, complete ? done : Math.max(done, notes.total()), notedNanos));
    }
}
