package dev.tributary.relay;

import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.config.TopicTemplate;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.sink.DeliveredEvents;
import dev.tributary.relay.sink.Kafka;
import dev.tributary.relay.sink.TopicTails;
import dev.tributary.relay.sink.Topics;
import dev.tributary.relay.source.SourceDatabase;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.postgresql.replication.LogSequenceNumber;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts together what the slot says and what Kafka says, before anything is sent: what lies in Kafka behind the confirmed
 * position is not to be sent again, and a slot or a history that does not fit is refused. Used by one thread, which holds
 * the slot, so that nobody else is sending.
 */
final class Recovery {
    private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);

    private final SourceConfig source;
    private final SourceDatabase database;
    private final Kafka kafka;
    private final Topics topics;

    Recovery(SourceConfig source, SourceDatabase database, Kafka kafka, Topics topics) {
        this.source = source;
        this.database = database;
        this.kafka = kafka;
        this.topics = topics;
    }

    /**
     * The events behind {@code slotLsn} that Kafka holds already.
     *
     * @throws RelayException.Stopped if slot, Kafka and database do not belong together
     */
    DeliveredEvents run(long slotLsn) throws SQLException {
        topics.ensureMarks(ProgressMark.topicOf(source.name()));
        refuseMovedSlot(TopicTails.lastMark(kafka, source.name()), slotLsn);
        ensureTopics();
        DeliveredEvents delivered = TopicTails.read(
                kafka,
                source.name(),
                topics.existing(source.topics()::matches),
                new Position(source.epoch(), slotLsn, 0));
        refuseForeignHistory(delivered.last(), database.pulse().walEnd());
        if (delivered.size() > 0) {
            LOG.info("Source {}: Kafka holds {} events behind {}", source.name(), delivered.size(), text(slotLsn));
        }
        return delivered;
    }

    private void ensureTopics() throws SQLException {
        TopicTemplate template = source.topics();
        for (String aggregateType : database.aggregateTypes()) {
            if (TopicTemplate.isLegal(template.topicFor(aggregateType))) {
                topics.ensure(template.topicFor(aggregateType));
            }
        }
    }

    /** A slot that is ahead of the last mark would skip, in silence, events that Kafka does not hold. */
    private void refuseMovedSlot(@Nullable ProgressMark last, long slotLsn) {
        if (last != null && last.epoch() == source.epoch() && Long.compareUnsigned(slotLsn, last.lsn()) > 0) {
            throw new RelayException.Stopped(
                    "slot " + source.slot() + " was moved to " + text(slotLsn) + ", but only events up to "
                            + text(last.lsn()) + " are known to be in Kafka",
                    "somebody advanced or recreated it, and what committed between is only in the outbox table; to go on"
                            + " without it, delete topic " + ProgressMark.topicOf(source.name())
                            + " (do not raise the epoch for this)",
                    null);
        }
    }

    /** Events that this database cannot have written: it was restored or replaced, and its positions start over. */
    private void refuseForeignHistory(Position last, long walEnd) {
        if (last.epoch() > source.epoch() || Long.compareUnsigned(last.commitLsn(), walEnd) > 0) {
            throw new RelayException.Stopped(
                    "Kafka holds events up to " + last + ", but the database's WAL ends at " + text(walEnd)
                            + " in epoch " + source.epoch(),
                    "if the database was restored or replaced, raise relay.sources." + source.name() + ".epoch above "
                            + last.epoch(),
                    null);
        }
    }

    private static String text(long lsn) {
        return LogSequenceNumber.valueOf(lsn).asString();
    }
}
