package dev.tributary.relay.history;

import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.ProgressMark.History;
import dev.tributary.relay.source.SourceDatabase;
import dev.tributary.relay.source.SourceDatabase.Server;
import java.sql.SQLException;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.postgresql.replication.LogSequenceNumber;

/**
 * How a server's history goes on from what Kafka holds, which the last progress mark describes. Immutable.
 *
 * @param server the server as it is
 * @param mark the last mark of the epoch in force; null if there is none, or the operator has raised the epoch above it
 * @param relation how the two belong together
 * @param commonEnd what both have in common ends here: below it an event's LSN means the same transaction in both; a
 *     later one in Kafka is an event that this server never had
 */
public record Lineage(Server server, @Nullable ProgressMark mark, Relation relation, long commonEnd) {

    /** How a server belongs to what Kafka holds. */
    public enum Relation {
        /** Nothing is known to compare it with. */
        UNKNOWN,
        /** The same cluster, further on. */
        SAME,
        /** The same cluster after a failover. */
        PROMOTED,
        /** The same cluster, restored from an older copy: it lacks what Kafka knows of. */
        BEHIND,
        /** The same cluster on a timeline that never had what Kafka knows of. */
        DIVERGED,
        /** Another cluster. */
        FOREIGN
    }

    /** Compares the database with the last mark, which may be null. */
    public static Lineage of(@Nullable ProgressMark mark, SourceDatabase database) throws SQLException {
        return of(mark, database.server(), database::leftTimelineAt);
    }

    /** Tells where a server's history left an earlier timeline; null if it never was on it. */
    interface Timelines {
        @Nullable
        Long leftAt(int timeline) throws SQLException;
    }

    static Lineage of(@Nullable ProgressMark mark, Server server, Timelines timelines) throws SQLException {
        History known = mark == null ? null : mark.history();
        boolean ahead = mark != null && Long.compareUnsigned(mark.lsn(), server.walEnd()) > 0;
        if (mark == null || known == null) {
            return new Lineage(server, mark, ahead ? Relation.BEHIND : Relation.UNKNOWN, server.walEnd());
        }
        if (!known.systemId().equals(server.systemId())) {
            return new Lineage(server, mark, Relation.FOREIGN, 0);
        }
        if (known.timeline() == server.timeline()) {
            boolean behind = ahead || Long.compareUnsigned(known.xidHorizon(), server.nextXid()) > 0;
            return new Lineage(server, mark, behind ? Relation.BEHIND : Relation.SAME, server.walEnd());
        }
        Long left = Integer.compareUnsigned(known.timeline(), server.timeline()) > 0
                ? null
                : timelines.leftAt(known.timeline());
        return left == null
                ? new Lineage(server, mark, Relation.DIVERGED, 0)
                : new Lineage(server, mark, Relation.PROMOTED, left);
    }

    /** Whether the mark's LSNs mean on this server what they meant when they were written, up to {@link #commonEnd}. */
    public boolean isUnbroken() {
        return relation == Relation.UNKNOWN || relation == Relation.SAME || relation == Relation.PROMOTED;
    }

    /** Whether an event at {@code position}, of the mark's epoch, is one that this server never had. */
    public boolean lacks(Position position) {
        return Long.compareUnsigned(position.commitLsn(), commonEnd) >= 0;
    }

    /** Up to where Kafka holds what this server has committed; null without a mark. */
    public @Nullable Long markedLsn() {
        if (mark == null) {
            return null;
        }
        // An old primary's mark may name WAL behind the switch in which no event was
        boolean beyond = relation == Relation.PROMOTED && Long.compareUnsigned(mark.lsn(), commonEnd) > 0;
        return beyond ? Long.valueOf(commonEnd) : Long.valueOf(mark.lsn());
    }

    /** Transactions below it are in Kafka, with everything they committed; 0 if that is not known. */
    public long xidHorizon() {
        History known = mark == null ? null : mark.history();
        if (mark == null || known == null) {
            return 0;
        }
        boolean means = relation == Relation.SAME
                || (relation == Relation.PROMOTED && Long.compareUnsigned(mark.lsn(), commonEnd) <= 0);
        return means ? known.xidHorizon() : 0;
    }

    /** Up to when everything committed is in Kafka, by the clock of the mark's database; null if that is not known. */
    public @Nullable Instant markedTime() {
        return mark == null || mark.timeMillis() == 0 ? null : Instant.ofEpochMilli(mark.timeMillis());
    }

    /** Whether marks have yet to say which history they count in, before anything is sent that belongs to it. */
    public boolean isNews() {
        History known = mark == null ? null : mark.history();
        return known == null || !known.systemId().equals(server.systemId()) || known.timeline() != server.timeline();
    }

    /** What marks are to say, with {@code xidHorizon} as {@link History} has it. */
    public History history(long xidHorizon) {
        return new History(server.systemId(), server.timeline(), xidHorizon);
    }

    /** What is wrong with it, in a sentence; empty if it {@link #isUnbroken}. */
    public String difference() {
        if (mark == null || isUnbroken()) {
            return "";
        }
        History known = mark.history();
        return switch (relation) {
            case FOREIGN ->
                "the database is on another cluster (system identifier " + server.systemId()
                        + ") than the one that the events in Kafka came from"
                        + (known == null ? "" : " (" + known.systemId() + ")");
            case DIVERGED ->
                "the server is on timeline " + Integer.toUnsignedString(server.timeline())
                        + ", which does not come from the timeline that the events in Kafka came from"
                        + (known == null ? "" : " (" + Integer.toUnsignedString(known.timeline()) + ")");
            default ->
                "the database has gone back: its WAL ends at " + text(server.walEnd()) + ", before transaction "
                        + Long.toUnsignedString(server.nextXid()) + ", but Kafka has what it had written up to "
                        + text(mark.lsn())
                        + (known == null ? "" : ", before transaction " + Long.toUnsignedString(known.xidHorizon()))
                        + "; it was restored from an older copy";
        };
    }

    private static String text(long lsn) {
        return LogSequenceNumber.valueOf(lsn).asString();
    }
}
