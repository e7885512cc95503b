package dev.tributary.relay.simulation;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.flow.ChangeListener;
import dev.tributary.relay.simulation.SimulatedServer.Transaction;
import dev.tributary.relay.source.ChangeSource;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;

/** A replication connection. What is on its way on it, in both directions, may never arrive. */
final class SimulatedStream implements ChangeSource {
    private static final int NOT_BEGUN = -1;

    private final SimulatedRelay reader;
    private final World world;
    private final int crashes;
    private final Position skippedUpTo;
    private int transaction;
    private int event = NOT_BEGUN;
    private long arrived;
    private long confirmedByReader;
    private long onItsWay;
    private final int number;
    private boolean cut;
    private boolean silent;
    private boolean ended;

    /** Starts behind {@code lsn}, or where the slot is, whichever is later. */
    SimulatedStream(SimulatedRelay reader, long lsn) {
        this.reader = reader;
        this.world = reader.world();
        this.crashes = world.server().crashes();
        this.number = world.nextNumber();
        long start = Math.max(lsn, world.server().confirmed());
        while (transaction < world.server().transactions()
                && world.server().transaction(transaction).commitLsn() < start) {
            transaction++;
        }
        arrived = start;
        confirmedByReader = lsn;
        onItsWay = lsn;
        skippedUpTo = world.bug() == PlantedBug.SKIP_BY_HIGHEST_PARTITION
                ? world.kafka().highest()
                : Position.START;
    }

    @Override
    public boolean poll(ChangeListener listener) throws SQLException {
        reader.turn();
        if (cut || ended || crashes != world.server().crashes()) {
            throw new SQLException("simulated: connection lost");
        }
        if (silent || world.oneIn(8)) {
            return false; // nothing has arrived yet
        }
        if (transaction < world.server().transactions()) {
            handOver(world.server().transaction(transaction), listener);
            return true;
        }
        arrived = world.server().walEnd(); // keepalive
        return false;
    }

    private void handOver(Transaction sent, ChangeListener listener) {
        int next = event++;
        if (next == sent.events().size()) {
            transaction++;
            event = NOT_BEGUN;
            arrived = sent.endLsn();
            listener.committed(sent.endLsn(), Instant.EPOCH);
        } else if (next >= 0) {
            Position position = new Position(1, sent.commitLsn(), next);
            if (position.isAfter(skippedUpTo)) {
                listener.event(sent.events().get(next).at(position));
            }
        }
    }

    @Override
    public void await(Duration atMost) {
        reader.pause(atMost.toNanos());
    }

    @Override
    public void confirm(long lsn) {
        confirmedByReader = lsn;
    }

    @Override
    public long caughtUpTo() {
        return event == NOT_BEGUN ? arrived : -1;
    }

    @Override
    public long arrivedUpTo() {
        return event == NOT_BEGUN
                ? arrived
                : world.server().transaction(transaction).commitLsn();
    }

    /** From time to time the reader says how far it is, and some time later the server has heard it. */
    void turn() {
        if (silent || cut) {
            return;
        }
        if (world.oneIn(2)) {
            world.server().confirmed(onItsWay);
            if (reader.isDead()) {
                end();
            }
        } else if (isHeard()) {
            onItsWay = confirmedByReader;
        }
    }

    int number() {
        return number;
    }

    /** Whether the server still hears the reader say that it lives. */
    boolean isHeard() {
        return !silent && !cut && !reader.isStopped();
    }

    void cut() {
        cut = true;
    }

    void silence() {
        silent = true;
    }

    /** The server ends the session. */
    void end() {
        ended = true;
        world.server().released(this);
    }

    /** Up to where the server has sent. */
    long sent() {
        return silent ? world.server().walEnd() : arrived;
    }

    @Override
    public void close() {
        if (!reader.isDead() && crashes == world.server().crashes()) {
            if (!silent && !cut && !ended) {
                world.server().confirmed(confirmedByReader);
                end();
            }
        }
    }
}
