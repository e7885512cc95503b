package dev.tributary.relay;

import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.relay.Recovery.Beginning;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.config.TopicTemplate;
import dev.tributary.relay.flow.ChangeListener;
import dev.tributary.relay.flow.Delivery;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.history.Lineage;
import dev.tributary.relay.progress.InFlight;
import dev.tributary.relay.progress.Marks;
import dev.tributary.relay.routing.EventRouter;
import dev.tributary.relay.sink.DeliveredEvents;
import dev.tributary.relay.sink.KafkaSink;
import dev.tributary.relay.sink.Topics;
import dev.tributary.relay.source.ChangeSource;
import dev.tributary.relay.source.Heartbeat;
import dev.tributary.relay.source.SourceDatabase;
import dev.tributary.relay.source.SourceDatabase.Pulse;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One unbroken run over a source: poll → route → send → confirm. Whatever breaks it ends it; the next one starts from
 * the confirmed position. Used by one thread.
 */
final class Stream implements ChangeListener, AutoCloseable {
    private static final int MESSAGES_PER_TURN_MAX = 256;
    private static final Duration PULSE_INTERVAL = Duration.ofSeconds(1);
    /** In pulses. */
    private static final int PUBLICATION_LOOK_INTERVAL = 5;

    private static final long ANNOUNCED_LOOK_NANOS = 1_000_000;
    private static final Duration DRAIN_MAX = Duration.ofSeconds(5);
    private static final long DRAIN_LOOK_NANOS = 5_000_000;
    private static final long NO_ROOM_NANOS = 200_000;

    private static final Logger LOG = LoggerFactory.getLogger(Stream.class);

    private final SourceDatabase database;
    private final ChangeSource changes;
    private final Topics topics;
    private final DeliveredEvents delivered;
    private final KafkaSink sink;
    private final EventRouter router;
    private final TopicTemplate topicTemplate;
    private final InFlight inFlight;
    private final Marks marks;
    private final Heartbeat heartbeat = new Heartbeat();
    private final Pace pace;
    private final StatusBoard board;
    private final Surroundings time;
    private final int epoch;
    private final Lineage lineage;
    private final Set<UUID> skip;
    private final PoisonEvents poison;
    private final PublicationWatch publication;
    private long pulseNanos;
    private int pulses;
    private long writtenBefore;
    private boolean readingAll = true;
    /** Whether an event has come that no mark says yet. */
    private boolean eventsSinceMark;
    /** No event that commits there or behind it was sent, nor was in Kafka already. */
    private long unsentFrom;

    private volatile boolean announced;

    Stream(SourceConfig source, Parts parts, DeliveredEvents delivered, Beginning beginning, StatusBoard board) {
        this.database = parts.database;
        this.changes = parts.changes;
        this.topics = parts.topics;
        this.sink = parts.sink;
        this.delivered = delivered;
        this.board = board;
        this.time = parts.time;
        this.router = new EventRouter(source);
        this.topicTemplate = source.topics();
        this.epoch = beginning.epoch();
        this.unsentFrom = delivered.size() > 0 ? delivered.last().commitLsn() + 1 : beginning.slotLsn();
        this.lineage = beginning.lineage();
        this.inFlight = new InFlight(beginning.slotLsn(), parts.time.kafka().inFlightBytesMax());
        this.marks = new Marks(beginning.slotLsn(), lineage.markedTime(), lineage.xidHorizon(), time.nanoTime());
        this.pace = new Pace(time.nanoTime());
        this.skip = source.skip();
        this.poison = parts.poison;
        ProgressMark last = lineage.mark();
        this.publication = new PublicationWatch(source, parts.time.kafka(), last == null ? null : last.publication());
        this.pulseNanos = time.nanoTime() - PULSE_INTERVAL.toNanos();
        this.announced = !lineage.isNews();
        if (!announced) {
            announce(beginning.mark(source.name()));
        }
    }

    /**
     * Says which history marks count in from now on, before there is an event of it in Kafka: otherwise one behind a
     * failover could not be told from one that the failover lost.
     */
    private void announce(ProgressMark mark) {
        sink.mark(
                mark.epoch(),
                mark.lsn(),
                lineage.markedTime(),
                mark.history(),
                unsentFrom,
                mark.publication(),
                () -> announced = true);
    }

    /** What a stream runs on. */
    record Parts(
            SourceDatabase database,
            ChangeSource changes,
            Topics topics,
            KafkaSink sink,
            PoisonEvents poison,
            Surroundings time) {}

    /** One turn, with a rest at its end if there is nothing to do. */
    void runOnce() throws SQLException {
        if (!announced) {
            sink.failIfSilent(time.nanoTime());
            time.pause(ANNOUNCED_LOOK_NANOS);
            return;
        }
        int handled = 0;
        boolean drained = false;
        while (handled < MESSAGES_PER_TURN_MAX && inFlight.hasRoom() && !drained) {
            drained = !changes.poll(this);
            handled += drained ? 0 : 1;
        }
        long now = time.nanoTime();
        sink.failIfSilent(now);
        readingAll &= drained;
        pace.handled(handled, now);
        if (drained && inFlight.events() > 0 && pace.isSendingOff(now)) {
            sink.sendOff();
        }
        confirm(drained);
        takePulse();
        rest(drained);
    }

    private void rest(boolean drained) throws SQLException {
        long gatherNanos = pace.gatherNanos();
        if (drained && gatherNanos > 0) {
            time.pause(gatherNanos);
        } else if (drained) {
            changes.await(pace.waitMax(inFlight.events() > 0, marks.isOwed(inFlight.confirmableLsn())));
        } else if (!inFlight.hasRoom()) {
            time.pause(NO_ROOM_NANOS);
        }
    }

    @Override
    public void event(OutboxEvent event) {
        eventsSinceMark = true;
        unsentFrom = Math.max(unsentFrom, event.position().commitLsn() + 1);
        if (delivered.takes(event.position(), event.id())) {
            board.skipped();
            return;
        }
        if (skip.contains(event.id())) {
            LOG.warn("Not relayed, as configured: {}", event);
            return;
        }
        if (poison.keeps(event, database)) {
            return;
        }
        if (delivered.size() > 0) {
            delivered.refuseLate(event.position(), topicTemplate.topicFor(event.aggregateType()), event.aggregateId());
        }
        Position position = delivered.behindDelivered(event.position());
        ProducerRecord<byte[], byte[]> record = placed(router.route(event.at(position)), position);
        topics.ensure(record.topic());
        Delivery delivery = inFlight.sending(KafkaSink.sizeOf(record));
        int payloadBytes = event.payload().length;
        sink.send(record, () -> {
            delivery.acknowledged();
            board.acknowledged(payloadBytes);
        });
    }

    private ProducerRecord<byte[], byte[]> placed(ProducerRecord<byte[], byte[]> record, Position position) {
        Integer partition = delivered.partitionFor(record.topic(), record.key(), position);
        return partition == null
                ? record
                : new ProducerRecord<>(
                        record.topic(), partition, record.timestamp(), record.key(), record.value(), record.headers());
    }

    @Override
    public void committed(long endLsn, Instant committedAt) {
        inFlight.committed(endLsn, committedAt);
    }

    private void confirm(boolean drained) throws SQLException {
        long confirmable = inFlight.confirmableLsn();
        if (drained) {
            // Other tables' WAL holds the slot back too: what the server has looked through and found empty is done
            inFlight.caughtUpTo(changes.caughtUpTo());
            confirmable = inFlight.confirmableLsn();
        }
        long now = time.nanoTime();
        if (marks.isDue(confirmable, drained && eventsSinceMark, now)) {
            eventsSinceMark = inFlight.events() > 0; // which this mark does not count yet
            sink.mark(
                    epoch,
                    confirmable,
                    marks.coveredTime(),
                    lineage.history(marks.coveredHorizon()),
                    unsentFrom,
                    publication.known(),
                    marks.sending(confirmable, now));
        }
        changes.confirm(marks.markedLsn());
        board.progressed(confirmable, inFlight.events(), inFlight.oldestCommit());
    }

    private void takePulse() throws SQLException {
        long now = time.nanoTime();
        if (now - pulseNanos < PULSE_INTERVAL.toNanos()) {
            return;
        }
        pulseNanos = now;
        Pulse pulse = database.pulse();
        board.serverIs(pulse);
        if (pulses++ % PUBLICATION_LOOK_INTERVAL == 0 || publication.isSuspect()) {
            publication.look(database, pulse, marks.markedLsn());
        }
        board.parked(poison.aggregates());
        marks.serverWasAt(pulse.time(), pulse.walEnd());
        marks.endedBelow(pulse.ended().belowXid(), pulse.ended().walEnd());
        heartbeat.check(pulse, changes.arrivedUpTo(), readingAll);
        readingAll = true;
        writeOutWhatStays(pulse);
    }

    /**
     * A reader may wait for any place in the log, and the server sends nothing of what is not on its disk. What a transaction
     * has written that is not committed, or a page's header, would stay in memory for up to 15 s if nobody commits.
     */
    private void writeOutWhatStays(Pulse pulse) throws SQLException {
        if (Long.compareUnsigned(writtenBefore, pulse.walEnd()) > 0) {
            database.writeOut();
        }
        writtenBefore = pulse.ended().walEnd();
    }

    /**
     * Takes nothing new, and waits a little for what is on its way, so that it need not be looked for at the next start.
     * What is broken already is left as it is.
     */
    void drain() {
        long deadline = time.nanoTime() + DRAIN_MAX.toNanos();
        try {
            do {
                sink.failIfBroken();
                confirm(true);
                time.pause(DRAIN_LOOK_NANOS);
            } while ((inFlight.events() > 0 || marks.markedLsn() < inFlight.confirmableLsn())
                    && time.nanoTime() < deadline);
            changes.confirm(marks.markedLsn());
        } catch (RelayException | SQLException e) {
            LOG.debug("Not drained", e);
        }
    }

    /** Whichever does not close cleanly: what is left open would keep the slot from everybody. */
    @Override
    public void close() throws SQLException {
        try (database;
                topics;
                changes;
                sink) {
            LOG.debug("Closing");
        }
    }
}
