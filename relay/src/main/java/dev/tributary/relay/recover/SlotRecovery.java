package dev.tributary.relay.recover;

import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.relay.config.OutboxLayout;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.history.Lineage;
import dev.tributary.relay.sink.HeldEvents;
import dev.tributary.relay.sink.Kafka;
import dev.tributary.relay.sink.KafkaClients;
import dev.tributary.relay.sink.Topics;
import dev.tributary.relay.source.PostgresDatabase;
import dev.tributary.relay.source.RetainedEvents;
import dev.tributary.relay.source.RetainedEvents.Since;
import dev.tributary.relay.source.SlotReplacement;
import dev.tributary.relay.source.SlotReplacement.Seam;
import dev.tributary.relay.source.SourceDatabase;
import dev.tributary.relay.source.SourceDatabase.Pulse;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Recovers a source whose slot is lost: look (what Kafka lacks of the rows that the tables have kept, and whether that is
 * all) → replace the slot → publish what committed before the new one begins → mark. Until that last mark the relay sees
 * a slot that is ahead of what Kafka is known to hold, and keeps away; so a recovery that was killed is just run again,
 * and finds by its id what it has published already. Why so: docs/adr/0002-recovery-from-rows.md.
 */
public final class SlotRecovery {
    private final SourceConfig source;
    private final Options options;
    private final Report report;
    private final Kafka kafka;

    /**
     * What an operator decides.
     *
     * @param dryRun look only
     * @param newEpoch take it that the database is not, or not any more, what the events in Kafka came from
     * @param acceptLoss go on though there are events that cannot be published any more
     * @param slack how much earlier than needed to look, for clocks that differ and transactions that took long
     */
    public record Options(boolean dryRun, boolean newEpoch, boolean acceptLoss, Duration slack) {}

    /**
     * Opens nothing yet.
     *
     * @param kafka Kafka client properties
     * @param out takes what there is to say, line by line
     */
    public SlotRecovery(SourceConfig source, Map<String, Object> kafka, Options options, Consumer<String> out) {
        this.source = source;
        this.options = options;
        this.kafka = new KafkaClients(kafka);
        this.report = new Report(source, out);
    }

    /**
     * Does it all; does nothing if the relay can go on as it is.
     *
     * @throws RelayException with the remedy if it must not or cannot be done; unless it has been said that the slot is
     *     replaced, nothing was changed
     */
    public void run() throws SQLException {
        if (source.layout().kind() != OutboxLayout.Kind.TRIBUTARY) {
            throw new RelayException.Stopped(
                    "`recover` knows Tributary's own tables only, and this source's events are in "
                            + source.layout().tablesSql() + ", whose rows do not tell what Kafka lacks",
                    "stop the relay; drop slot " + source.slot() + " if it is there, delete topic "
                            + ProgressMark.topicOf(source.name())
                            + ", and run `init --leave-events`: the relay then goes on from there; have the service"
                            + " publish anew what was committed before and is missing",
                    null);
        }
        try (SourceDatabase database = new PostgresDatabase(source);
                SlotReplacement slot = new SlotReplacement(source);
                Topics topics = kafka.topics(source.name())) {
            String reader = slot.reader();
            if (("tributary-relay-" + source.name()).equals(reader)) {
                report.say("nothing to recover: a relay is streaming from slot " + source.slot());
                return;
            }
            if (reader != null) {
                throw new RelayException.Stopped(
                        "slot " + source.slot() + " is read by " + reader + ", which is no relay",
                        "stop that reader first",
                        null);
            }
            Standing standing = Standing.of(source, database, kafka, topics, options.newEpoch);
            if (standing.trouble().isEmpty() && !options.newEpoch) {
                report.say("nothing to recover: slot " + source.slot() + " is in order");
                return;
            }
            report.standing(standing);
            new Run(database, slot, topics, standing).run();
        }
    }

    /** One recovery that is needed. */
    private final class Run {
        private final SourceDatabase database;
        private final SlotReplacement slot;
        private final Topics topics;
        private final Standing standing;
        private final Since since;
        private @Nullable HeldEvents held;
        private @Nullable Instant heldSince;

        Run(SourceDatabase database, SlotReplacement slot, Topics topics, Standing standing) {
            this.database = database;
            this.slot = slot;
            this.topics = topics;
            this.standing = standing;
            Instant time = standing.relayedUntil();
            this.since = new Since(
                    standing.keepsEpoch() ? standing.relayedBelowXid() : 0,
                    time,
                    time == null ? null : time.minus(options.slack));
        }

        void run() throws SQLException {
            Pulse before = database.pulse();
            Gap foreseen = gap(null);
            report.gap(foreseen, since, options.slack, heldEvents());
            int epoch = standing.epoch(source.epoch(), before.ended().walEnd());
            if (!foreseen.losesNothing() && !options.acceptLoss) {
                throw new RelayException.Stopped(
                        "what Kafka lacks cannot be published in full, as said above; nothing was changed",
                        "restore the rows, or accept the loss with --accept-loss",
                        null);
            }
            if (standing.lineage().mark() != null && !standing.keepsEpoch() && !options.newEpoch && !options.dryRun) {
                throw new RelayException.Stopped(
                        "this database is not what the events in Kafka came from, as said above; nothing was changed",
                        "correct the source's url; or, if the database was replaced or restored, add --new-epoch",
                        null);
            }
            report.intent(options.dryRun, foreseen.missingEvents(), epoch);
            if (!options.dryRun) {
                replace(epoch, before);
            }
        }

        private void replace(int epoch, Pulse before) throws SQLException {
            Lineage lineage = standing.lineage();
            ProgressMark mark = lineage.mark();
            long start = System.nanoTime();
            topics.ensureMarks(ProgressMark.topicOf(source.name()));
            if (mark == null || mark.epoch() != epoch) {
                // From here on a relay compares with this, and so keeps away from the new slot until the end
                try (Republish begun =
                        new Republish(source, kafka, topics, heldEvents().endOffsets())) {
                    begun.mark(epoch, 0, lineage.markedTime(), lineage.history(0));
                }
            }
            slot.drop();
            Seam seam = slot.create(report::waiting);
            report.created(seam.lsn());
            try (RetainedEvents rows = new RetainedEvents(source, since, seam.snapshot())) {
                heldEvents().catchUp(topics.existing(source.topics()::matches));
                Gap gap = find(rows);
                if (!gap.losesNothing() && !options.acceptLoss) {
                    report.lost(gap);
                    throw new RelayException.Stopped(
                            "rows have been removed meanwhile", "run `recover` again with --accept-loss", null);
                }
                SetAside setAside =
                        new SetAside(source, database, database.parkedBefore(new Position(epoch, seam.lsn(), 0)));
                while (!publish(rows, gap, epoch, seam, before, setAside)) {
                    heldEvents().catchUp(topics.existing(source.topics()::matches));
                }
                long published = gap.missingEvents() - setAside.size();
                report.done(published, setAside.size(), epoch, Duration.ofNanos(System.nanoTime() - start));
            }
        }

        /** False if Kafka has refused an event, which is to be set aside the next time. */
        private boolean publish(RetainedEvents rows, Gap gap, int epoch, Seam seam, Pulse before, SetAside setAside)
                throws SQLException {
            try (Republish publish =
                    new Republish(source, kafka, topics, heldEvents().endOffsets())) {
                setAside.begin();
                UUID[] last = new UUID[1];
                rows.events(epoch, seam.lsn() - 1, event -> {
                    // Set aside once and published again, it comes once more
                    if (!event.id().equals(last[0]) && isMissing(gap, event) && !setAside.keeps(event)) {
                        publish.send(event);
                    }
                    last[0] = event.id();
                });
                publish.mark(
                        epoch,
                        seam.lsn(),
                        before.time(),
                        standing.lineage().history(before.ended().belowXid()));
                return true;
            } catch (RelayException.Refused e) {
                if (!setAside.takes(e)) {
                    throw e;
                }
                report.refused(e.reason());
                return false;
            }
        }

        private static boolean isMissing(Gap gap, OutboxEvent event) {
            String aggregateId = new String(event.aggregateId(), StandardCharsets.UTF_8);
            return gap.fate(event.id(), event.aggregateType(), aggregateId, event.sequence(), event.occurredAt())
                    == Gap.Fate.MISSING;
        }

        private Gap gap(@Nullable String snapshot) throws SQLException {
            try (RetainedEvents rows = new RetainedEvents(source, since, snapshot)) {
                heldSince = heldSince(rows.earliest());
                held = new HeldEvents(kafka, source.name(), heldSince);
                heldEvents().catchUp(standing.topics());
                Gap gap = find(rows);
                if (!gap.unproven().isEmpty() && heldSince != null) {
                    held = new HeldEvents(kafka, source.name(), null); // older events would tell
                    heldEvents().catchUp(standing.topics());
                    gap = find(rows);
                }
                return gap;
            }
        }

        /** Records carry the time of their commit, or for rows published by a recovery the time that they occurred. */
        private @Nullable Instant heldSince(@Nullable Instant earliest) {
            if (since.time() == null) {
                return null;
            }
            Instant first = earliest == null || since.time().isBefore(earliest) ? since.time() : earliest;
            return first.minus(options.slack);
        }

        private HeldEvents heldEvents() {
            HeldEvents known = held;
            if (known == null) {
                throw new IllegalStateException("Kafka has not been read yet");
            }
            return known;
        }

        private Gap find(RetainedEvents rows) throws SQLException {
            boolean retained = since.time() != null && rows.outboxReachesBackBefore(since.time());
            Gap gap = new Gap(source, heldEvents(), since.xidHorizon() != 0, retained, since.time());
            rows.setAside(source.name(), gap::setAside);
            rows.keys(gap::key);
            gap.end();
            rows.headsWithoutEvents(gap::headWithoutEvents);
            return gap;
        }
    }
}
