package dev.tributary.relay;

import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.config.SourceConfig.Engine;
import dev.tributary.relay.config.TopicTemplate;
import dev.tributary.relay.flow.PositionForm;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.history.Lineage;
import dev.tributary.relay.sink.DeliveredEvents;
import dev.tributary.relay.sink.PublishedMarks;
import dev.tributary.relay.sink.TopicTails;
import dev.tributary.relay.sink.Topics;
import dev.tributary.relay.source.SourceDatabase;
import java.sql.SQLException;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.postgresql.replication.LogSequenceNumber;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts together what the slot says and what Kafka says, before anything is sent: what lies in Kafka behind the confirmed
 * position is not to be sent again, and a slot or a history that does not fit is refused. Used by one thread.
 */
final class Recovery {
    private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);

    private final SourceConfig source;
    private final SourceDatabase database;
    private final Surroundings surroundings;
    private final Topics topics;
    private @Nullable PublishedMarks marks;
    private @Nullable Integer epoch;

    /**
     * Where a run begins.
     *
     * @param epoch the epoch in force: the greater of what is configured and what the last mark says
     * @param slotLsn the slot's confirmed position
     * @param lineage how the server goes on from what Kafka holds
     */
    record Beginning(int epoch, long slotLsn, Lineage lineage) {

        /** What Kafka is known to hold when it begins. */
        ProgressMark mark(String source) {
            ProgressMark last = lineage.mark();
            Long marked = lineage.markedLsn();
            return new ProgressMark(
                    source,
                    epoch,
                    marked == null ? slotLsn : marked,
                    last == null ? 0 : last.timeMillis(),
                    last == null ? Map.of() : last.offsets(),
                    lineage.history(lineage.xidHorizon()),
                    null,
                    last == null ? null : last.publication());
        }
    }

    Recovery(SourceConfig source, Surroundings surroundings, SourceDatabase database, Topics topics) {
        this.source = source;
        this.database = database;
        this.surroundings = surroundings;
        this.topics = topics;
    }

    /**
     * Compares slot, last mark and server, before the slot is taken: whoever takes it keeps others from mending it.
     *
     * @param known a mark that was seen earlier, if any
     * @throws RelayException.SlotLost if they do not belong together
     */
    Beginning compare(@Nullable ProgressMark known) throws SQLException {
        // In this order: marks are ahead of what the slot is told
        long slotLsn = slotConfirmedLsn(known);
        topics.ensureMarks(ProgressMark.topicOf(source.name()));
        Lineage lineage = lineage();
        int inForce = lineage.mark() == null ? source.epoch() : lineage.mark().epoch();
        epoch = inForce;
        refuseBroken(lineage);
        refuseMovedSlot(lineage, slotLsn);
        database.refuseHiddenEvents();
        return new Beginning(inForce, slotLsn, lineage);
    }

    /** The epoch in force, once {@link #compare} has seen it; null before. */
    @Nullable
    Integer epoch() {
        return epoch;
    }

    /** A primary that was replaced has no such slot, or another's; that it was replaced says more. */
    private long slotConfirmedLsn(@Nullable ProgressMark known) throws SQLException {
        try {
            return database.slotConfirmedLsn();
        } catch (RelayException.SlotLost e) {
            refuseBroken(Lineage.of(known, database)); // by what is remembered: Kafka may be away, and take its time
            throw e;
        }
    }

    /** By raising the epoch an operator says that LSNs before that have lost their meaning: they are not compared. */
    private Lineage lineage() throws SQLException {
        marks = PublishedMarks.read(surroundings.kafka(), source.name(), surroundings::nanoTime);
        ProgressMark last = marks.highest();
        return Lineage.of(last == null || last.epoch() < source.epoch() ? null : last, database);
    }

    private void refuseBroken(Lineage lineage) {
        if (!lineage.isUnbroken()) {
            throw new RelayException.HistoryBroken(
                    lineage.difference(),
                    "if that is meant to be, run `recover --new-epoch`; otherwise correct the source's url");
        }
    }

    /** A slot that is ahead of the last mark would skip, in silence, events that Kafka does not hold. */
    private void refuseMovedSlot(Lineage lineage, long slotLsn) {
        Long marked = lineage.markedLsn();
        if (marked != null && Long.compareUnsigned(slotLsn, marked) > 0) {
            throw new RelayException.SlotLost(
                    "slot " + source.slot() + " was moved to " + text(slotLsn) + ", but only events up to "
                            + text(marked) + " are known to be in Kafka",
                    "somebody advanced or recreated it, and what committed between is only in the outbox table: run"
                            + " `recover` (do not raise the epoch for this)");
        }
    }

    /**
     * The events behind the slot's position that Kafka holds already.
     *
     * @throws RelayException.SlotLost if the database never had some of them
     */
    DeliveredEvents run(Beginning beginning) throws SQLException {
        if (database.slotConfirmedLsn() != beginning.slotLsn()) {
            throw new RelayException("the slot was moved while it was taken", "none; the relay looks again", null);
        }
        Set<String> existing = topics.existing(source.topics()::matches);
        refuseDeletedTopics(beginning.lineage().mark(), existing);
        ensureTopics();
        DeliveredEvents delivered = TopicTails.read(
                surroundings.kafka(),
                source.name(),
                topics.existing(source.topics()::matches),
                new Position(beginning.epoch(), beginning.slotLsn(), 0),
                source.engine() == Engine.DEBEZIUM ? PositionForm.COMMIT_END : PositionForm.COMMIT_START,
                markBeforeAny(beginning),
                surroundings::nanoTime);
        ProgressMark mark = beginning.lineage().mark();
        if (mark != null) {
            refuseLostRecords(mark, delivered.endOffsets());
            mark.offsets().forEach((topic, partitions) -> delivered.had(topic, partitions.size()));
        }
        refuseForeignHistory(delivered, beginning);
        if (delivered.size() > 0) {
            LOG.info(
                    "Source {}: Kafka holds {} events behind {}",
                    source.name(),
                    delivered.size(),
                    text(beginning.slotLsn()));
        }
        return delivered;
    }

    /** Where the slot is far behind, as that of a server which crashed, it is an older one. */
    private @Nullable ProgressMark markBeforeAny(Beginning beginning) {
        ProgressMark mark = marks == null ? null : marks.beforeAnyFrom(beginning.epoch(), beginning.slotLsn());
        return mark != null || beginning.lineage().mark() == null
                ? mark
                : PublishedMarks.readMany(surroundings.kafka(), source.name(), surroundings::nanoTime)
                        .beforeAnyFrom(beginning.epoch(), beginning.slotLsn());
    }

    /** Where a mark has named an offset of a topic, Kafka has acknowledged what lies below. */
    private void refuseDeletedTopics(@Nullable ProgressMark mark, Set<String> existing) {
        if (mark == null) {
            return;
        }
        mark.offsets().forEach((topic, offsets) -> {
            boolean ours = source.topics().matches(topic); // the template may have been another one
            if (ours && !existing.contains(topic) && offsets.values().stream().anyMatch(offset -> offset > 0)) {
                throw lostRecords("topic " + topic + ", which the relay has written to, does not exist any more");
            }
        });
    }

    private void refuseLostRecords(ProgressMark mark, Map<String, Map<Integer, Long>> ends) {
        mark.offsets()
                .forEach((topic, offsets) -> offsets.forEach((partition, offset) -> {
                    long end = ends.getOrDefault(topic, Map.of()).getOrDefault(partition, 0L);
                    if (source.topics().matches(topic) && end < offset) {
                        throw lostRecords("partition " + partition + " of topic " + topic + " ends at offset " + end
                                + ", but the relay has written to it up to " + offset
                                + ": it was created anew or cut short");
                    }
                }));
    }

    private RelayException.Stopped lostRecords(String what) {
        return new RelayException.Stopped(
                what,
                "events that it held are only in the outbox tables and with readers that had read them; if that is meant"
                        + " to be, delete topic "
                        + ProgressMark.topicOf(source.name()) + " too and restart the relay: it goes on behind what is"
                        + " confirmed",
                null);
    }

    private void ensureTopics() throws SQLException {
        TopicTemplate template = source.topics();
        for (String aggregateType : database.aggregateTypes()) {
            if (TopicTemplate.isLegal(template.topicFor(aggregateType))) {
                topics.ensure(template.topicFor(aggregateType));
            }
        }
    }

    /** Events that this database never had: it was restored, or a failover lost them. */
    private void refuseForeignHistory(DeliveredEvents delivered, Beginning beginning) throws SQLException {
        Position last = delivered.last();
        // Anew: until the slot was taken, another relay may have sent what had not been written when it was compared
        Lineage lineage = Lineage.of(beginning.lineage().mark(), database);
        if (last.epoch() > beginning.epoch()) {
            throw new RelayException.SlotLost(
                    "Kafka holds events up to " + last + ", but the epoch in force is " + beginning.epoch(),
                    "if a `recover` was not finished, run it again; otherwise set " + source.key("epoch") + " to "
                            + last.epoch());
        }
        if (delivered.size() > 0 && lineage.lacks(last)) {
            Long first = delivered.firstFrom(lineage.commonEnd());
            throw new RelayException.HistoryBroken(
                    "Kafka holds " + delivered.countFrom(lineage.commonEnd()) + " events from "
                            + text(first == null ? last.commitLsn() : first) + " to " + text(last.commitLsn())
                            + " that this database never had: "
                            + (lineage.relation() == Lineage.Relation.PROMOTED
                                    ? "the failover to timeline "
                                            + lineage.server().timeline() + " lost them, as it took place at "
                                    : "it was restored from an older copy, and its WAL ends at ")
                            + text(lineage.commonEnd()),
                    "run `recover --new-epoch`: it goes on in a new epoch, with what this database has and Kafka lacks");
        }
    }

    private static String text(long lsn) {
        return LogSequenceNumber.valueOf(lsn).asString();
    }
}
