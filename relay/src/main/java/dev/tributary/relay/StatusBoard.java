package dev.tributary.relay;

import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.source.SourceDatabase.Pulse;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where one relay notes how it stands, for others to read from any thread. Each change of state is logged once. */
final class StatusBoard {
    private static final Logger LOG = LoggerFactory.getLogger(Relay.class);

    /** How long events may be on their way to Kafka, and none arrive, before the source counts as not moving. */
    private static final Duration STILL_MAX = Duration.ofSeconds(10);

    private final String source;
    private final Clock clock;
    private final SlotWatch slotWatch;
    private final LongAdder acknowledged = new LongAdder();
    private final LongAdder bytes = new LongAdder();
    private long acknowledgedBefore;
    private volatile Headline headline;
    private volatile long skipped;
    private volatile long retries;
    private volatile long confirmedLsn;
    private volatile long serverLsn;
    private volatile long retainedBytes;
    private volatile @Nullable Long safeBytes;
    private volatile SlotHealth slot = SlotHealth.UNKNOWN;
    private volatile long movedNanos;
    private volatile int eventsInFlight;
    private volatile int parkedAggregates;
    private volatile @Nullable Instant oldestUnconfirmed;

    StatusBoard(SourceConfig source, Clock clock) {
        this.source = source.name();
        this.slotWatch = new SlotWatch(source.slotLimits());
        this.clock = clock;
        this.headline = new Headline(SourceState.RECOVERING, clock.instant(), "not started yet", "");
    }

    private record Headline(SourceState state, Instant since, String reason, String remedy) {}

    /** Only the relay's own thread calls this. */
    void enter(SourceState state, String reason, String remedy) {
        Headline before = headline;
        if (before.state == state && before.reason.equals(reason)) {
            return;
        }
        movedNanos = System.nanoTime();
        headline = new Headline(state, before.state == state ? before.since : clock.instant(), reason, remedy);
        String why = reason.isEmpty() ? "" : ": " + reason + (remedy.isEmpty() ? "" : ". Remedy: " + remedy);
        switch (state) {
            case STREAMING, STANDBY -> LOG.info("Source {} is {}{}", source, state, why);
            case RECOVERING -> LOG.warn("Source {} is {}{}", source, state, why);
            case SLOT_LOST, STOPPED -> LOG.error("Source {} is {}{}", source, state, why);
        }
    }

    /** Only the relay's own thread calls this. */
    boolean isStopped() {
        return headline.state == SourceState.STOPPED;
    }

    /** Whether a relay, this one or another, reads the slot, and so has compared it with what Kafka holds. Safe to call from any thread. */
    boolean isSlotInOrder() {
        SourceState state = headline.state;
        return state == SourceState.STREAMING || state == SourceState.STANDBY;
    }

    /** Ends it without alarm: somebody asked for it. */
    void closed() {
        if (headline.state != SourceState.STOPPED) {
            headline = new Headline(SourceState.STOPPED, clock.instant(), "closed", "");
        }
        LOG.info("Source {} is closed", source);
    }

    /** Safe to call from any thread. */
    void acknowledged(int payloadBytes) {
        acknowledged.increment();
        bytes.add(payloadBytes);
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
    void skipped() {
        skipped++;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
    void retried() {
        retries++;
    }

    void progressed(long confirmedLsn, int eventsInFlight, @Nullable Instant oldestUnconfirmed) {
        if (eventsInFlight == 0 || confirmedLsn != this.confirmedLsn || acknowledged.sum() != acknowledgedBefore) {
            acknowledgedBefore = acknowledged.sum();
            movedNanos = System.nanoTime();
        }
        this.confirmedLsn = confirmedLsn;
        this.eventsInFlight = eventsInFlight;
        this.oldestUnconfirmed = oldestUnconfirmed;
    }

    void serverIs(Pulse pulse) {
        slot = slotWatch.look(pulse, System.nanoTime());
        serverLsn = pulse.walEnd();
        retainedBytes = pulse.slot().retainedBytes();
        safeBytes = pulse.slot().safeBytes();
    }

    void parked(int aggregates) {
        parkedAggregates = aggregates;
    }

    private boolean isMoving(SourceState state) {
        return state == SourceState.STREAMING && System.nanoTime() - movedNanos < STILL_MAX.toNanos();
    }

    SourceStatus status() {
        Headline now = headline;
        return new SourceStatus(
                source,
                now.state,
                now.since,
                now.reason,
                now.remedy,
                isMoving(now.state),
                new SourceStatus.Progress(
                        acknowledged.sum(),
                        bytes.sum(),
                        skipped,
                        retries,
                        confirmedLsn,
                        serverLsn,
                        retainedBytes,
                        safeBytes,
                        eventsInFlight,
                        parkedAggregates,
                        lag(now.state)),
                slot);
    }

    private @Nullable Duration lag(SourceState state) {
        Instant oldest = oldestUnconfirmed;
        if (oldest == null) {
            return state == SourceState.STREAMING ? Duration.ZERO : null;
        }
        Duration lag = Duration.between(oldest, clock.instant());
        return lag.isNegative() ? Duration.ZERO : lag;
    }
}
