package dev.tributary.relay.simulation;

import dev.tributary.relay.Relay;
import dev.tributary.relay.SourceState;
import dev.tributary.relay.SourceStatus;
import dev.tributary.relay.Surroundings;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.sink.Kafka;
import dev.tributary.relay.sink.Topics;
import dev.tributary.relay.source.ChangeSource;
import dev.tributary.relay.source.SourceDatabase;
import dev.tributary.relay.source.SourceDatabase.Server;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;

/** A relay's process, with the real relay in it. */
final class SimulatedRelay implements Surroundings, Kafka {
    private static final long LONG_PAUSE_NANOS = 900_000_000;

    private final World world;
    private final Relay relay;
    private final List<SimulatedProducer> producers = new ArrayList<>();
    private boolean dead;
    private boolean frozen;
    private boolean onlyItsThread;

    SimulatedRelay(World world) {
        this.world = world;
        this.relay = new Relay(World.CONFIG, this, World.CLOCK);
    }

    World world() {
        return world;
    }

    /** Lives until it is killed or closed. */
    void run() {
        try {
            relay.run();
            kill(false);
        } catch (Killed e) {
            // as was intended
        }
    }

    /** The world goes on, and the relay with it if it still lives then. */
    void turn() {
        dieIfDead();
        world.turn(this);
        dieIfDead();
    }

    private void dieIfDead() {
        if (dead || world.isOver()) {
            throw new Killed();
        }
    }

    void kill(boolean lateRequest) {
        if (!dead) {
            dead = true;
            producers.forEach(producer -> producer.abandon(lateRequest));
        }
    }

    void close() {
        relay.close();
    }

    /** Does nothing while another relay runs; with only its own thread frozen, the client's threads go on. */
    void freeze(boolean wholly) {
        frozen = true;
        onlyItsThread = !wholly;
        producers.forEach(SimulatedProducer::freeze);
        new SimulatedRelay(world).run();
        frozen = false;
    }

    boolean isDead() {
        return dead;
    }

    /** Whether nothing in it runs. */
    boolean isStopped() {
        return dead || (frozen && !onlyItsThread);
    }

    @Override
    public SourceDatabase connect() throws SQLException {
        return new SimulatedSession(this);
    }

    @Override
    public ChangeSource takeSlot(Server known, int epoch, long confirmedLsn) throws SQLException {
        turn();
        SimulatedServer server = world.server();
        if (!server.isUp()) {
            throw new SQLException("simulated: connection refused");
        }
        if (!server.hasSlot()) {
            throw new RelayException.SlotLost("simulated: no slot", "none");
        }
        if (server.holder() != null) {
            throw new RelayException.SlotBusy("simulated: busy", "none", null);
        }
        SimulatedStream stream = new SimulatedStream(this, confirmedLsn);
        server.taken(stream);
        return stream;
    }

    @Override
    public Kafka kafka() {
        return this;
    }

    @Override
    public long nanoTime() {
        return world.nanos();
    }

    @Override
    public void pause(long nanos) {
        world.passes(nanos + world.below((int) Math.min(nanos, 50_000_000) * 4 + 1));
        turn();
        if (nanos > LONG_PAUSE_NANOS) {
            SourceStatus status = relay.status();
            if (status.state() == SourceState.STOPPED || status.state() == SourceState.SLOT_LOST) {
                world.stopped(status);
            }
        }
    }

    @Override
    public String address() {
        return "nowhere";
    }

    @Override
    public Topics topics(String source) {
        return new SimulatedTopics(this);
    }

    @Override
    public Consumer<byte[], byte[]> consumer(String clientId) {
        return new SimulatedConsumer(this);
    }

    @Override
    public Producer<byte[], byte[]> producer(String clientId) {
        SimulatedProducer producer = new SimulatedProducer(this);
        producers.add(producer);
        return producer;
    }

    @Override
    public long inFlightBytesMax() {
        return 32L << 20;
    }

    /** Few, as there are few: what marks say has to do for the rest. */
    @Override
    public int tailRecords() {
        return world.tailRecords();
    }

    /** There is no other thread. */
    @Override
    public Duration answerMax() {
        return Duration.ofSeconds(4);
    }

    @Override
    public Executor background() {
        return Runnable::run;
    }
}
