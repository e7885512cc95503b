package dev.tributary.relay.simulation;

import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.relay.SourceStatus;
import dev.tributary.relay.config.SourceConfig;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All there is beside the relay. For a while things go wrong; then they heal, and everything must arrive within a bounded
 * time. Everything that happens follows from the seed.
 */
final class World {
    static final String SOURCE = "s";
    static final String MARKS = ProgressMark.topicOf(SOURCE);
    static final Clock CLOCK = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);
    static final SourceConfig CONFIG = new SourceConfig(
            SOURCE,
            "jdbc:postgresql://nowhere/s",
            "u",
            "",
            SourceConfig.Engine.PGOUTPUT,
            "${source}.${aggregate_type}",
            1);

    private static final Logger LOG = LoggerFactory.getLogger(World.class);
    private static final int TROUBLED_TURNS_MAX = 600;
    private static final long HEALED_NANOS_MAX = 90_000_000_000L;
    private static final long OUTAGE_NANOS_MAX = 12_000_000_000L;

    private final SplittableRandom random;
    private final PlantedBug bug;
    private final List<Fault> faults = new ArrayList<>();
    private final int turnsBetweenFaults;
    private final int tailRecords;
    private final SimulatedServer server = new SimulatedServer(this);
    private final SimulatedKafka kafka = new SimulatedKafka(this);
    private final SimulatedWriters writers = new SimulatedWriters(this);

    private int troubledTurns;
    private int numbers;
    private long nanos;
    private long healedNanos;
    private long goal = Long.MAX_VALUE;
    private boolean over;
    private boolean someoneIsFrozen;
    private boolean itsThreadOnly;
    private boolean repeats;
    private boolean slotTouched;
    private @Nullable SourceStatus stopped;
    private @Nullable String stalled;

    World(long seed, PlantedBug bug) {
        this.random = new SplittableRandom(seed);
        this.bug = bug;
        this.troubledTurns = 50 + below(TROUBLED_TURNS_MAX);
        this.turnsBetweenFaults = 10 + below(150);
        this.tailRecords = 1 + below(30);
        for (Fault fault : Fault.values()) {
            if (oneIn(fault.compareTo(Fault.MOVE_SLOT) < 0 ? 2 : 12)) {
                faults.add(fault);
            }
        }
        if (oneIn(2)) {
            faults.remove(Fault.ADD_PARTITION);
        } else if (faults.contains(Fault.ADD_PARTITION)) {
            // Late requests are in order in each partition only; where aggregates move, that is not enough
            faults.removeAll(List.of(Fault.KILL_RELAY_WITH_LATE_REQUEST, Fault.FREEZE_RELAY));
        }
    }

    /** Relays come and go until the seed's story is over. */
    void run() {
        while (!over) {
            new SimulatedRelay(this).run();
        }
    }

    void turn(SimulatedRelay relay) {
        nanos += 100_000 + below(3_000_000);
        if (!hasHealed()) {
            writers.turn();
            if (random.nextInt(turnsBetweenFaults) == 0 && !faults.isEmpty()) {
                strike(relay, faults.get(below(faults.size())));
            }
            if (--troubledTurns <= 0 && !hasHealed()) {
                heal();
            }
        } else if (server.confirmed() >= goal) {
            over = true;
        } else if (nanos - healedNanos > HEALED_NANOS_MAX) {
            stalled = "confirmed " + server.confirmed() + " of " + goal;
            over = true;
        }
        if (someoneIsFrozen && (oneIn(200) || (itsThreadOnly && hasHealed()))) {
            relay.kill(false); // and the frozen one goes on
        }
        kafka.turn();
        server.turn();
    }

    private void strike(SimulatedRelay relay, Fault fault) {
        SimulatedStream stream = server.holder();
        LOG.info("{} s: {}", nanos / 1e9, fault);
        switch (fault) {
            case KILL_RELAY -> relay.kill(false);
            case KILL_RELAY_WITH_LATE_REQUEST -> relay.kill(true);
            case CLOSE_RELAY -> relay.close();
            case FREEZE_RELAY -> freeze(relay);
            case CRASH_SERVER -> server.crash(outage());
            case CUT_STREAM -> {
                if (stream != null) {
                    stream.cut();
                }
            }
            case SILENCE_STREAM -> {
                if (stream != null) {
                    stream.silence();
                }
            }
            case STOP_BROKER -> kafka.stop(outage());
            case FAIL_SEND -> kafka.failNextSend();
            case ADD_PARTITION -> kafka.grow();
            case MOVE_SLOT -> {
                if (kafka.hasMark()) {
                    slotTouched = true;
                    server.moveSlot();
                }
            }
            case DROP_SLOT -> {
                slotTouched = true;
                server.dropSlot();
            }
        }
    }

    private void freeze(SimulatedRelay relay) {
        if (!someoneIsFrozen) {
            someoneIsFrozen = true;
            itsThreadOnly = oneIn(2);
            relay.freeze(!itsThreadOnly);
            someoneIsFrozen = false;
        }
    }

    private void heal() {
        LOG.info("{} s: all heals", nanos / 1e9);
        faults.clear();
        server.comeBack();
        kafka.comeBack();
        writers.finish();
        server.writes(80); // of other tables: that too is to be released
        goal = server.walEnd();
        healedNanos = nanos;
    }

    private long outage() {
        return random.nextLong(OUTAGE_NANOS_MAX);
    }

    /** A relay says that it cannot go on. Rightly so only if somebody touched the slot. */
    void stopped(SourceStatus status) {
        if (!slotTouched) {
            stopped = status;
            over = true;
        } else if (hasHealed()) {
            over = true;
        }
    }

    void passes(long moreNanos) {
        nanos += moreNanos;
    }

    /** From now on something may be in Kafka twice. */
    void repeats() {
        repeats = true;
    }

    boolean mayRepeat() {
        return repeats;
    }

    boolean slotWasTouched() {
        return slotTouched;
    }

    /** Why it did not come to a good end; null if it did. */
    @Nullable
    String failure() {
        SourceStatus status = stopped;
        return status == null ? stalled : status.state() + " without a cause: " + status.reason();
    }

    boolean hasHealed() {
        return goal != Long.MAX_VALUE;
    }

    boolean isOver() {
        return over;
    }

    int tailRecords() {
        return tailRecords;
    }

    PlantedBug bug() {
        return bug;
    }

    SimulatedServer server() {
        return server;
    }

    SimulatedKafka kafka() {
        return kafka;
    }

    SimulatedWriters writers() {
        return writers;
    }

    long nanos() {
        return nanos;
    }

    int nextNumber() {
        return ++numbers;
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    boolean oneIn(int chances) {
        return random.nextInt(chances) == 0;
    }
}
