package dev.tributary.relay.simulation;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.SourceDatabase;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** An ordinary connection to the server. */
final class SimulatedSession implements SourceDatabase {
    private static final SlotWal SLOT_WAL = new SlotWal("reserved", 0, null, null);

    private final SimulatedRelay client;
    private final World world;
    private final int crashes;

    SimulatedSession(SimulatedRelay client) throws SQLException {
        this.client = client;
        this.world = client.world();
        this.crashes = world.server().crashes();
        ask();
    }

    private SimulatedServer ask() throws SQLException {
        client.turn();
        if (!world.server().isUp() || crashes != world.server().crashes()) {
            throw new SQLException("simulated: connection refused or lost");
        }
        return world.server();
    }

    @Override
    public long slotConfirmedLsn() throws SQLException {
        if (!ask().hasSlot()) {
            throw new RelayException.SlotLost("simulated: no slot", "none");
        }
        return world.server().confirmed();
    }

    @Override
    public boolean slotInUse() throws SQLException {
        return ask().holder() != null;
    }

    @Override
    public Server server() throws SQLException {
        return new Server("1", 1, ask().walEnd(), 0);
    }

    @Override
    public @Nullable Long leftTimelineAt(int timeline) {
        return null;
    }

    @Override
    public void writeOut() {
        throw new UnsupportedOperationException("all is on disk here");
    }

    @Override
    public void refuseHiddenEvents() {
        // there is no publication that could leave any out
    }

    @Override
    public String publicationIdentity() {
        return "that nobody alters";
    }

    @Override
    public Pulse pulse() throws SQLException {
        SimulatedStream holder = ask().holder();
        long walEnd = world.server().walEnd();
        Instant time = Instant.ofEpochSecond(0, world.nanos());
        return new Pulse(time, walEnd, new Ended(0, 0), SLOT_WAL, holder == null ? null : holder.sent());
    }

    @Override
    public @Nullable Holder slotHolder() throws SQLException {
        SimulatedStream holder = ask().holder();
        return holder == null ? null : new Holder(holder.number(), holder.isHeard() ? "" + world.nanos() : "long ago");
    }

    @Override
    public void end(Holder who) throws SQLException {
        SimulatedStream holder = ask().holder();
        if (holder != null && holder.number() == who.pid()) {
            holder.end();
        }
    }

    @Override
    public List<String> aggregateTypes() throws SQLException {
        ask();
        return List.of("customer", "order");
    }

    @Override
    public Set<Aggregate> parkedBefore(Position position) {
        return Set.of();
    }

    @Override
    public List<SetAside> setAsideFrom(Position first) {
        return List.of();
    }

    @Override
    public boolean park(OutboxEvent event, @Nullable String reason) {
        throw new UnsupportedOperationException("Kafka takes every event here");
    }

    @Override
    public void close() {}
}
