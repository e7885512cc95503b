package dev.tributary.relay.source;

import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the relay asks a source's database beside the stream. Used by one thread. */
public interface SourceDatabase extends AutoCloseable {
    /**
     * The slot's confirmed position.
     *
     * @throws RelayException.SlotLost if the slot is missing or invalidated
     * @throws RelayException.Stopped if it is not a slot that the relay can read
     */
    long slotConfirmedLsn() throws SQLException;

    /** Looks at the server, its slot and the stream. */
    Pulse pulse() throws SQLException;

    /**
     * The server at one moment.
     *
     * @param time by its clock
     * @param walEnd where its WAL ended at that time: what had committed by then lies at or below
     * @param retainedBytes WAL that the slot keeps from being removed
     * @param safeBytes WAL that may still be written before the slot is invalidated; null if there is no such limit
     * @param sentLsn up to where the server has sent; null if nobody streams, or the role may not see it
     */
    record Pulse(
            Instant time,
            long walEnd,
            long retainedBytes,
            @Nullable Long safeBytes,
            @Nullable Long sentLsn) {}

    /** Who holds the slot; null if nobody does, or the role may not see it ({@code pg_read_all_stats}). */
    @Nullable
    Holder slotHolder() throws SQLException;

    /**
     * What the slot's holder last said of itself: changes every second while it lives.
     *
     * @param pid the server process that serves it
     * @param lastReply the time that the holder wrote into its last status, by its own clock
     */
    record Holder(int pid, String lastReply) {}

    /** Ends the session of the slot's holder; needs to be the same role. */
    void end(Holder holder) throws SQLException;

    /** The aggregate types that have sequenced events. */
    List<String> aggregateTypes() throws SQLException;

    @Override
    void close() throws SQLException;
}
