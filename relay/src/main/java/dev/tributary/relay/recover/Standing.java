package dev.tributary.relay.recover;

import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.ProgressMark.Publication;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.PositionForm;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.history.Lineage;
import dev.tributary.relay.history.Lineage.Relation;
import dev.tributary.relay.sink.DeliveredEvents;
import dev.tributary.relay.sink.Kafka;
import dev.tributary.relay.sink.PublishedMarks;
import dev.tributary.relay.sink.TopicTails;
import dev.tributary.relay.sink.Topics;
import dev.tributary.relay.source.SourceDatabase;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.postgresql.replication.LogSequenceNumber;

/**
 * How slot, server and Kafka stand to each other before anything is done about it.
 *
 * @param trouble why the relay cannot go on, in a sentence; empty if it can
 * @param lineage how the server goes on from what Kafka holds
 * @param foreignEvents how many events Kafka holds that this server never had, as far as is known
 * @param newEpoch whether people say that it is not what the events in Kafka came from
 * @param topics the source's topics that exist
 * @param last the highest position in Kafka behind the last mark; {@link Position#START} if there is none
 */
record Standing(
        String trouble, Lineage lineage, int foreignEvents, boolean newEpoch, Set<String> topics, Position last) {

    static Standing of(SourceConfig source, SourceDatabase database, Kafka kafka, Topics topics, boolean newEpoch)
            throws SQLException {
        Slot slot = Slot.of(database); // before the marks: a relay that runs confirms nothing that none of them says
        boolean marked =
                !topics.existing(ProgressMark.topicOf(source.name())::equals).isEmpty();
        Lineage lineage = Lineage.of(
                marked
                        ? PublishedMarks.read(kafka, source.name(), System::nanoTime)
                                .highest()
                        : null,
                database);
        Set<String> existing = topics.existing(source.topics()::matches);
        ProgressMark mark = lineage.mark();
        DeliveredEvents behind = mark == null
                ? new DeliveredEvents(PositionForm.COMMIT_START)
                : TopicTails.read(
                        kafka,
                        source.name(),
                        existing,
                        new Position(mark.epoch(), from(lineage, mark), 0),
                        PositionForm.COMMIT_START,
                        null,
                        System::nanoTime);
        boolean ofThatEpoch = mark != null && behind.last().epoch() == mark.epoch();
        boolean comparable =
                ofThatEpoch && lineage.relation() != Relation.FOREIGN && lineage.relation() != Relation.DIVERGED;
        int foreign = comparable && lineage.lacks(behind.last()) ? behind.countFrom(lineage.commonEnd()) : 0;
        return new Standing(
                trouble(source, slot, lineage, foreign), lineage, foreign, newEpoch, existing, behind.last());
    }

    private static long from(Lineage lineage, ProgressMark mark) {
        boolean earlier = (lineage.relation() == Relation.PROMOTED || lineage.relation() == Relation.BEHIND)
                && Long.compareUnsigned(lineage.commonEnd(), mark.lsn()) < 0;
        return earlier ? lineage.commonEnd() : mark.lsn();
    }

    /**
     * The slot, as it was when nothing else had been looked at.
     *
     * @param confirmedLsn null if it is lost
     * @param lost why it is; empty if it is not
     */
    private record Slot(@Nullable Long confirmedLsn, String lost) {
        static Slot of(SourceDatabase database) throws SQLException {
            try {
                return new Slot(database.slotConfirmedLsn(), "");
            } catch (RelayException.SlotLost e) {
                return new Slot(null, e.reason());
            }
        }
    }

    private static String trouble(SourceConfig source, Slot slot, Lineage lineage, int foreign) {
        if (!lineage.isUnbroken()) {
            return lineage.difference();
        }
        if (foreign > 0) {
            return "Kafka holds " + foreign + " events that this database never had, which committed at "
                    + text(lineage.commonEnd()) + " or later: a failover or a restore lost them";
        }
        Long marked = lineage.markedLsn();
        return marked != null && slot.confirmedLsn() != null && Long.compareUnsigned(slot.confirmedLsn(), marked) > 0
                ? "slot " + source.slot() + " is at " + text(slot.confirmedLsn()) + ", but only events up to "
                        + text(marked) + " are known to be in Kafka"
                : slot.lost();
    }

    /** Whether positions go on in the epoch that they are in. */
    boolean keepsEpoch() {
        return lineage.mark() != null && lineage.isUnbroken() && foreignEvents == 0 && !newEpoch;
    }

    /** The epoch in which what is missing is to be published; {@code configured} is the least. */
    int epoch(int configured, long beginLsn) {
        ProgressMark mark = lineage.mark();
        int least = mark == null ? configured : Math.max(configured, keepsEpoch() ? mark.epoch() : mark.epoch() + 1);
        return new Position(least, beginLsn - 1, 0).isAfter(last) ? least : last.epoch() + 1;
    }

    /** Up to when everything committed is in Kafka, and nothing was kept from the relay; null if that is not known. */
    @Nullable
    Instant relayedUntil() {
        Instant marked = lineage.markedTime();
        Publication known = publication();
        Instant looked = known == null ? marked : Instant.ofEpochMilli(known.timeMillis());
        return marked == null || looked == null || marked.isBefore(looked) ? marked : looked;
    }

    /** Transactions below it are in Kafka, and nothing of them was kept from the relay; 0 if that is not known. */
    long relayedBelowXid() {
        long marked = lineage.xidHorizon();
        Publication known = publication();
        return known == null || Long.compareUnsigned(marked, known.xidHorizon()) < 0 ? marked : known.xidHorizon();
    }

    private @Nullable Publication publication() {
        ProgressMark mark = lineage.mark();
        return mark == null ? null : mark.publication();
    }

    /** What is known of the last mark, for people. */
    String known() {
        ProgressMark mark = lineage.mark();
        return mark == null
                ? "there is no progress mark"
                : "by the last progress mark Kafka holds everything up to " + text(mark.lsn()) + " in epoch "
                        + mark.epoch() + (lineage.markedTime() == null ? "" : ", " + lineage.markedTime());
    }

    static String text(@Nullable Long lsn) {
        return lsn == null ? "nowhere" : LogSequenceNumber.valueOf(lsn).asString();
    }
}
