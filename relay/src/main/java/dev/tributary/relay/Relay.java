package dev.tributary.relay;

import dev.tributary.outbox.retention.RetentionThread;
import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.relay.Recovery.Beginning;
import dev.tributary.relay.config.RelayConfig;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.sink.DeliveredEvents;
import dev.tributary.relay.sink.KafkaClients;
import dev.tributary.relay.sink.KafkaSink;
import dev.tributary.relay.sink.Topics;
import dev.tributary.relay.source.ChangeSource;
import dev.tributary.relay.source.SilentHolder;
import dev.tributary.relay.source.SourceDatabase;
import dev.tributary.relay.source.SourceDatabase.Pulse;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Relays one source's events from PostgreSQL to Kafka until closed. The story of one run: lead (take the slot; only one
 * reader can hold it) → recover (find what Kafka holds beyond the confirmed position) → {@link Stream}: poll → route →
 * send → confirm. Any fault ends the run, and the next one starts over from what is confirmed.
 */
public final class Relay implements Runnable, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Relay.class);
    private static final Duration RETRY_FIRST = Duration.ofMillis(200);
    private static final Duration RETRY_LONGEST = Duration.ofSeconds(5);
    private static final Duration STANDBY_INTERVAL = Duration.ofSeconds(1);
    private static final Duration WATCH_INTERVAL = Duration.ofSeconds(10);
    private static final Duration STOPPED_FIRST = Duration.ofSeconds(2);
    private static final Duration STOPPED_LONGEST = Duration.ofMinutes(1);
    /** After that long without stopping again, the cause counts as mended. */
    private static final Duration MENDED_AFTER = Duration.ofSeconds(2);

    private static final Duration CLOSE_MAX = Duration.ofSeconds(15);

    private final SourceConfig source;
    private final Surroundings surroundings;
    private final StatusBoard board;
    private final PoisonEvents poison;
    private final Backoff retries = new Backoff(RETRY_FIRST, RETRY_LONGEST);
    private final Backoff stops = new Backoff(STOPPED_FIRST, STOPPED_LONGEST);
    private final SilentHolder silentHolder = new SilentHolder();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile boolean closing;
    private volatile @Nullable Thread runner;
    private volatile @Nullable RetentionThread retention;
    private @Nullable ProgressMark knownMark;
    private RelayException.@Nullable HistoryBroken broken;
    private @Nullable Integer epoch;
    private @Nullable Integer brokenEpoch;

    /**
     * Opens nothing yet.
     *
     * @param kafka Kafka client properties; must name {@code bootstrap.servers}
     */
    public Relay(SourceConfig source, Map<String, Object> kafka, Clock clock) {
        this(source, new KafkaClients(kafka), clock);
    }

    private Relay(SourceConfig source, KafkaClients kafka, Clock clock) {
        this(source, new RealSurroundings(source, kafka), clock);
    }

    /** Makes the relays of all sources of this process, which share what they have of Kafka, and an allotment of the heap. */
    public static Function<SourceConfig, Relay> sharing(RelayConfig config, Clock clock) {
        KafkaClients kafka = KafkaClients.shared(
                config.kafka(), config.sources().size(), Runtime.getRuntime().maxMemory());
        return source -> new Relay(source, kafka, clock);
    }

    /** As if {@code surroundings} were the world. */
    public Relay(SourceConfig source, Surroundings surroundings, Clock clock) {
        this.source = source;
        this.surroundings = surroundings;
        this.board = new StatusBoard(source, clock);
        this.poison = new PoisonEvents(source, surroundings);
    }

    /** Relays until {@link #close}; waits for what is away, opens again what broke, stops on what only people can mend. */
    @Override
    public void run() {
        runner = Thread.currentThread();
        try (RetentionThread keeping = SourceRetention.start(source, board::isSlotInOrder)) {
            retention = keeping;
            while (isOpen()) {
                rest(runUntilBroken());
            }
        } finally {
            board.closed();
            ended.countDown();
        }
    }

    /** @return how long to rest before the next run */
    private Duration runUntilBroken() {
        try {
            relay();
            return Duration.ZERO;
        } catch (RelayException.SlotBusy e) {
            board.enter(SourceState.STANDBY, e.reason(), e.remedy());
            return STANDBY_INTERVAL;
        } catch (RelayException.HistoryBroken e) {
            broken = e;
            brokenEpoch = epoch;
            board.enter(SourceState.SLOT_LOST, e.reason(), e.remedy());
            return RETRY_LONGEST;
        } catch (RelayException.SlotLost e) {
            board.enter(SourceState.SLOT_LOST, e.reason(), e.remedy());
            return RETRY_LONGEST;
        } catch (RelayException.Refused e) {
            return poison.isSetAside(e) ? Duration.ZERO : stopped(e);
        } catch (RelayException.Stopped e) {
            return stopped(e);
        } catch (RelayException e) {
            LOG.debug("Source {} broke", source.name(), e);
            return again(e.reason(), e.remedy());
        } catch (SQLException e) {
            LOG.debug("Source {} broke", source.name(), e);
            DatabaseTrouble trouble = DatabaseTrouble.of(source, e);
            return again(trouble.reason(), trouble.remedy());
        } catch (RuntimeException e) {
            LOG.error("Source {} broke in an unforeseen way", source.name(), e);
            return again(e.toString(), "the log has the details; please report them");
        }
    }

    private void relay() throws SQLException {
        try (Stream stream = lead()) {
            long start = surroundings.nanoTime();
            try {
                while (isOpen()) {
                    long streaming = surroundings.nanoTime() - start;
                    if (!board.isStopped() || streaming > MENDED_AFTER.toNanos()) {
                        board.enter(SourceState.STREAMING, "", "");
                    }
                    stream.runOnce();
                    if (streaming > RETRY_LONGEST.toNanos()) {
                        retries.reset();
                        stops.reset();
                    }
                }
            } finally {
                stream.drain(); // also before it stops for an event: what lies before that one is on its way
            }
        }
    }

    /** Takes the slot, and then, as nobody else can be sending any more, looks at what Kafka holds. */
    private Stream lead() throws SQLException {
        Deque<AutoCloseable> opened = new ArrayDeque<>();
        try {
            SourceDatabase database = open(opened, surroundings.connect());
            look(database);
            standByIfInUse(database);
            Topics topics = open(opened, surroundings.kafka().topics(source.name()));
            Recovery recovery = new Recovery(source, surroundings, database, topics);
            Beginning beginning = compare(recovery);
            refuseWhatIsBroken(beginning);
            knownMark = beginning.mark(source.name());
            board.progressed(beginning.slotLsn(), 0, null);
            ChangeSource changes = open(opened, takeSlot(database, beginning));
            DeliveredEvents delivered = recovery.run(beginning);
            poison.load(database, new Position(beginning.epoch(), beginning.slotLsn(), 0));
            KafkaSink sink = open(opened, new KafkaSink(surroundings.kafka(), source.name(), delivered.endOffsets()));
            Stream.Parts parts = new Stream.Parts(database, changes, topics, sink, poison, surroundings);
            return new Stream(source, parts, delivered, beginning, board);
        } catch (SQLException
                | RuntimeException
                | Error e) { // an Error too: a slot that stays taken is kept from others
            opened.forEach(Relay::closeQuietly);
            throw e;
        }
    }

    private Beginning compare(Recovery recovery) throws SQLException {
        try {
            return recovery.compare(knownMark);
        } finally {
            Integer seen = recovery.epoch();
            epoch = seen == null ? epoch : seen;
        }
    }

    private static <T extends AutoCloseable> T open(Deque<AutoCloseable> opened, T part) {
        opened.push(part);
        return part;
    }

    private void look(SourceDatabase database) throws SQLException {
        Pulse pulse = database.pulse();
        board.serverIs(pulse);
    }

    /** A database that was put back may have written so much since that it looks right; until people have said so, it is not. */
    private void refuseWhatIsBroken(Beginning beginning) {
        if (broken != null && (brokenEpoch == null || beginning.epoch() == brokenEpoch)) {
            throw broken;
        }
        broken = null;
    }

    /** Asks before Kafka is asked anything: who stands by does that every second. */
    private void standByIfInUse(SourceDatabase database) throws SQLException {
        if (database.slotInUse()) {
            silentHolder.endIfSilent(database, surroundings.nanoTime());
            throw new RelayException.SlotBusy(
                    "slot " + source.slot() + " is in use",
                    "none if another relay streams this source; this one takes over when the slot is free",
                    null);
        }
    }

    private ChangeSource takeSlot(SourceDatabase database, Beginning beginning) throws SQLException {
        try {
            return surroundings.takeSlot(beginning.lineage().server(), beginning.epoch(), beginning.slotLsn());
        } catch (RelayException.SlotBusy e) {
            silentHolder.endIfSilent(database, surroundings.nanoTime());
            throw e;
        }
    }

    /** Tries again from time to time: what only people can mend they may mend without telling. */
    private Duration stopped(RelayException.Stopped e) {
        board.enter(SourceState.STOPPED, e.reason(), e.remedy());
        watch(e.isForGood() ? Duration.ofNanos(Long.MAX_VALUE) : stops.next());
        return Duration.ZERO;
    }

    /** WAL piles up while a source is stopped, and people have to be told. */
    private void watch(Duration duration) {
        long start = surroundings.nanoTime();
        long left = duration.toNanos();
        while (isOpen() && left > 0) {
            try (SourceDatabase database = surroundings.connect()) {
                look(database);
            } catch (SQLException e) {
                LOG.debug("Source {} is stopped, and its database away", source.name(), e);
            }
            rest(Duration.ofNanos(Math.min(left, WATCH_INTERVAL.toNanos())));
            left = duration.toNanos() - (surroundings.nanoTime() - start);
        }
    }

    private Duration again(String reason, String remedy) {
        board.enter(SourceState.RECOVERING, reason, remedy);
        board.retried();
        return retries.next();
    }

    private boolean isOpen() {
        if (Thread.interrupted()) {
            closing = true; // interrupting the thread closes the relay
        }
        return !closing;
    }

    private void rest(Duration duration) {
        long start = surroundings.nanoTime();
        long left = duration.toNanos();
        while (isOpen() && left > 0) {
            surroundings.pause(left);
            left = duration.toNanos() - (surroundings.nanoTime() - start);
        }
    }

    private static void closeQuietly(AutoCloseable part) {
        try {
            part.close();
        } catch (Exception e) {
            LOG.debug("Not closed cleanly", e);
        }
    }

    /** How it stands. Safe to call from any thread. */
    public SourceStatus status() {
        RetentionThread keeping = retention;
        return board.status().with(keeping == null ? null : keeping.status());
    }

    /** Ends {@link #run}, confirming what is acknowledged; returns when it has ended, unless called by its own thread. */
    @Override
    public void close() {
        closing = true;
        Thread running = runner;
        LockSupport.unpark(running);
        try {
            if (running != null
                    && running != Thread.currentThread()
                    && !ended.await(CLOSE_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn("Source {} has not ended within {}", source.name(), CLOSE_MAX);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
