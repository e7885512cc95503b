package dev.tributary.relay;

import dev.tributary.relay.sink.Kafka;
import dev.tributary.relay.source.ChangeSource;
import dev.tributary.relay.source.SourceDatabase;
import dev.tributary.relay.source.SourceDatabase.Server;
import java.sql.SQLException;

/**
 * Everything that a relay finds around it: its source's database, Kafka, and time. What is decided between them is the
 * relay's, and can be tried out on a simulated world.
 */
public interface Surroundings {
    /** Connects to the source's database. */
    SourceDatabase connect() throws SQLException;

    /**
     * Takes the source's slot and starts reading behind {@code confirmedLsn}, or where the slot is by then.
     *
     * @param server the server that the slot was seen on: a failover may come between
     * @param epoch of the positions that events get
     * @throws RelayException.SlotBusy if another reader holds the slot
     * @throws RelayException.SlotLost if there is no such slot
     * @throws SQLException if the database cannot be reached or refuses
     */
    ChangeSource takeSlot(Server server, int epoch, long confirmedLsn) throws SQLException;

    /** Where the events go. */
    Kafka kafka();

    /** A clock that only runs forward, in nanoseconds. */
    long nanoTime();

    /** Rests for about that long, or less if the thread is unparked or interrupted. */
    void pause(long nanos);
}
