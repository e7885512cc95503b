package dev.tributary.relay.source;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.flow.OutboxEvent;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.UUID;
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

    /** Whether somebody holds the slot, or is creating it. */
    boolean slotInUse() throws SQLException;

    /** Which server this is, and how far it has come. */
    Server server() throws SQLException;

    /**
     * A server's place in the histories of all clusters.
     *
     * @param systemId PostgreSQL's system identifier of its cluster, decimal
     * @param timeline the timeline that it writes
     * @param walEnd where its next WAL record will begin
     * @param nextXid the next transaction's id, 64 bits
     */
    record Server(String systemId, int timeline, long walEnd, long nextXid) {}

    /** Where the server's history left a timeline that it once was on; null if it never was. */
    @Nullable
    Long leftTimelineAt(int timeline) throws SQLException;

    /**
     * Has the server write to disk what its log holds, and the stream bring it; for when nobody commits. What a role may not
     * do is left.
     */
    void writeOut() throws SQLException;

    /**
     * Compares the publication with the tables that are to be relayed: of what it leaves out the stream says nothing.
     *
     * @throws RelayException.HistoryBroken if it leaves out events
     */
    void refuseHiddenEvents() throws SQLException;

    /** What tells the publication from what it is once somebody has altered it for those tables, or has made one of them anew. */
    String publicationIdentity() throws SQLException;

    /** Looks at the server, its slot and the stream. */
    Pulse pulse() throws SQLException;

    /**
     * The server at one moment.
     *
     * @param time by its clock
     * @param walEnd where its WAL ended on disk at that time: what had committed by then, and was on disk, lies below
     * @param ended what had ended by then
     * @param slot the slot's WAL
     * @param sentLsn up to where the server has sent; null if nobody streams, or the role may not see it
     */
    record Pulse(
            Instant time,
            long walEnd,
            Ended ended,
            SlotWal slot,
            @Nullable Long sentLsn) {}

    /**
     * Transactions that had ended.
     *
     * @param belowXid every one with a smaller id, 64 bits
     * @param walEnd their commit records lie below
     */
    record Ended(long belowXid, long walEnd) {}

    /**
     * What the slot keeps of the server's WAL.
     *
     * @param status as PostgreSQL names it: reserved, extended, unreserved, lost; null if there is no slot
     * @param retainedBytes WAL that the slot keeps from being removed
     * @param safeBytes WAL that may still be written before the slot is invalidated; null if there is no such limit
     * @param keepBytesMax that limit, {@code max_slot_wal_keep_size}; null if there is none
     */
    record SlotWal(
            @Nullable String status,
            long retainedBytes,
            @Nullable Long safeBytes,
            @Nullable Long keepBytesMax) {}

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

    /** The aggregates of which an event is set aside in {@code tributary.dead_letter} that stood before {@code position}. */
    Set<Aggregate> parkedBefore(Position position) throws SQLException;

    /** The events that were set aside from {@code first} on, also those that have been released since; in their order. */
    List<SetAside> setAsideFrom(Position first) throws SQLException;

    /**
     * An event that was set aside.
     *
     * @param position where it stood, by the engine that read it then
     */
    record SetAside(UUID id, Position position, Aggregate aggregate, boolean released) {}

    /** An aggregate's type and id. */
    record Aggregate(String type, String id) {}

    /**
     * Sets an event aside, durably, unless it is already.
     *
     * @param reason why it cannot be published; null if it only waits behind others of its aggregate
     * @return false if there is no reason, and the aggregate's events are not set aside any more
     */
    boolean park(OutboxEvent event, @Nullable String reason) throws SQLException;

    @Override
    void close() throws SQLException;
}
