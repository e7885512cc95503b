package dev.tributary.relay.replay;

import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.Replay;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.replay.ReplayNotes.Chosen;
import dev.tributary.relay.replay.ReplayNotes.Cluster;
import dev.tributary.relay.replay.ReplayNotes.Moment;
import dev.tributary.relay.sink.EventsBetween;
import dev.tributary.relay.sink.Kafka;
import dev.tributary.relay.sink.KafkaClients;
import dev.tributary.relay.sink.ReplayTopic;
import dev.tributary.relay.sink.Topics;
import dev.tributary.relay.source.HistoryRows;
import dev.tributary.relay.source.HistoryRows.Counts;
import dev.tributary.relay.source.PostgresDatabase;
import dev.tributary.relay.source.RowsSince;
import dev.tributary.relay.source.SourceDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Writes a source's history to a topic: note where the live topics end → take the tables' state at a slot's beginning, with its
 * LSN → wait until the relay has come past that → copy the rows, noting with each Kafka transaction how far that is. What
 * committed before the LSN is in the topic then, and everything else lies in the live topics behind the noted ends: there a
 * view goes on without a seam. Why so: docs/adr/0006-history-then-live.md.
 */
public final class HistoryReplay {
    private static final int SLOT_CHARS_MAX = 63;

    private final SourceConfig source;
    private final Map<String, Object> kafkaProperties;
    private final Kafka kafka;
    private final Options options;
    private final Account account;
    private final Refusals refusals;
    private final Losses losses;

    /**
     * What an operator asks for.
     *
     * @param topic where to
     * @param part which events
     * @param eventsPerSecondMax how many at most
     * @param resume go on with what was begun; where that is complete, add what has committed since
     * @param acceptLoss go on though rows have been dropped since
     * @param dryRun say only what there is to do
     */
    public record Options(
            String topic, Part part, long eventsPerSecondMax, boolean resume, boolean acceptLoss, boolean dryRun) {}

    /** Hears what there is to say to people. Used by one thread. */
    public interface Account {
        /** A sentence. */
        void say(String line);

        /** How far it is, every now and then. */
        void progress(Progress progress);
    }

    /**
     * How far it is.
     *
     * @param done rows that it is past, in earlier runs too
     * @param total rows
     * @param perSecond rows per second, lately
     * @param left the time that the rest takes at that rate; null if it is not known
     */
    public record Progress(
            long done,
            long total,
            double perSecond,
            @Nullable Duration left) {}

    /**
     * Opens nothing yet.
     *
     * @param kafkaProperties Kafka client properties
     */
    public HistoryReplay(SourceConfig source, Map<String, Object> kafkaProperties, Options options, Account account) {
        this.source = source;
        this.kafkaProperties = kafkaProperties;
        this.kafka = new KafkaClients(kafkaProperties);
        this.options = options;
        this.account = account;
        this.refusals = new Refusals(source, options);
        this.losses = new Losses(source, options.acceptLoss(), account);
    }

    /**
     * Does it all. Stopped at any time, it goes on with {@link Options#resume}.
     *
     * @throws RelayException with the remedy if it must not or cannot be done
     */
    public void run() throws SQLException {
        refusals.refuseOtherTables();
        refusals.refuseUnusableTopic();
        try (ReplayTopic topic = new ReplayTopic(kafkaProperties, options.topic())) {
            Replay noted = noted(topic);
            if (options.dryRun()) {
                foretell(noted);
            } else if (noted == null) {
                begin(topic, null);
            } else if (noted.complete()) {
                begin(topic, noted);
            } else {
                resume(topic);
            }
        }
    }

    /** What is there already, if it may be gone on with. */
    private @Nullable Replay noted(ReplayTopic topic) {
        String id = topic.id();
        Replay noted = topic.noted();
        if (noted == null || !noted.topicId().equals(id)) { // of a topic that was deleted since
            refusals.refuseOtherContent(topic, id);
            return null;
        }
        refusals.refuseOtherReplay(noted);
        return noted;
    }

    private void foretell(@Nullable Replay noted) throws SQLException {
        ReplayNotes notes = noted == null ? null : ReplayNotes.of(noted.run());
        try (HistoryRows rows = HistoryRows.asTheyAre(source)) {
            if (notes == null) {
                rows.choose(options.part().selection(), null);
                Counts counts = rows.count();
                requireAny(counts, options.part(), rows);
                account.say("would replay " + described(counts) + " to topic " + options.topic());
            } else if (notes.total() > notes.done()) {
                account.say("would go on behind " + notes.done() + " of " + notes.total() + " events in topic "
                        + options.topic());
            } else {
                rows.choose(notes.chosen().part().selection(), notes.moment().snapshotThen());
                account.say("would add " + described(rows.count()) + " to topic " + options.topic()
                        + ", which committed since the last replay");
            }
        }
    }

    private static String described(Counts counts) {
        StringBuilder text = new StringBuilder(counts.total() + " events");
        counts.byType().forEach((type, count) -> text.append(text.indexOf(":") < 0 ? ": " : ", ")
                .append(count + " of " + type));
        return text.toString();
    }

    /** @param earlier a round that is complete, which is to be added to; null for none */
    private void begin(ReplayTopic topic, @Nullable Replay earlier) throws SQLException {
        ReplayNotes before = earlier == null ? null : ReplayNotes.of(earlier.run());
        Part part = before == null ? options.part() : before.chosen().part();
        try (SourceDatabase database = new PostgresDatabase(source);
                Topics topics = kafka.topics(source.name())) {
            Cluster cluster = Cluster.of(database.server());
            if (before != null) {
                refusals.refuseOtherCluster(cluster, before.cluster());
            }
            topics.ensureMarks(Replay.TOPIC);
            // In this order: what commits behind the snapshot is sent behind these ends
            Map<String, Replay.Live> ends = topic.live(topics.existing(source.topics()::matches));
            try (HistoryRows rows = HistoryRows.atSlot(source, slot(), this::waiting)) {
                rows.choose(
                        part.selection(),
                        before == null ? null : before.moment().snapshotThen());
                ProgressMark mark = new RelayPast(source, kafka, database, account)
                        .await(rows.snapshot().lsn());
                CoveredTopics covered = new CoveredTopics(source, part);
                Map<String, Replay.Live> live =
                        covered.goOnAt(ends, topic.live(topics.existing(source.topics()::matches)));
                Counts counts = count(part, rows, before);
                String topicId = takeOver(topic, earlier);
                ReplayNotes notes = new ReplayNotes(
                        cluster,
                        Chosen.of(part),
                        Moment.of(rows.snapshot()),
                        before == null ? null : before.moment(),
                        before == null ? 0 : before.sent(),
                        0,
                        counts.total(),
                        counts.sequenced() && (before == null || before.sequenced()),
                        null);
                Replay begun = new Replay(
                        source.name(),
                        options.topic(),
                        topicId,
                        false,
                        mark.epoch(),
                        rows.snapshot().lsn(),
                        Map.of(),
                        live,
                        covered.areWhole(),
                        null);
                copy(topic, rows, begun, notes);
            }
        }
    }

    /** How many rows there are to replay; they are not dropped from then on. */
    private Counts count(Part part, HistoryRows rows, @Nullable ReplayNotes before) throws SQLException {
        Counts counts = rows.count();
        if (before == null) {
            requireAny(counts, part, rows);
            losses.sayBeforeTheFirstRound(part);
        } else {
            losses.refuseBeforeAnotherRound(part, before.moment(), before.sequenced() && counts.sequenced());
        }
        Refusals.refuseTooMany(before == null ? 0 : before.sent(), counts.total());
        account.say(described(counts) + " to replay to topic " + options.topic());
        return counts;
    }

    /** Creates the topic if it is not there; nobody else writes to it from then on. Returns its id. */
    private String takeOver(ReplayTopic topic, @Nullable Replay earlier) {
        String topicId = topic.create();
        refusals.refuseOthersWork(topic, topicId, earlier);
        topic.takeOver();
        refusals.refuseOthersWork(topic, topicId, earlier);
        if (earlier != null) {
            topic.reached(earlier.ends());
        }
        return topicId;
    }

    /** A part without events is a slip, which would take the topic for good; of a source without events there is no part. */
    private void requireAny(Counts counts, Part part, HistoryRows rows) throws SQLException {
        if (counts.total() == 0 && !part.equals(Part.ALL)) {
            rows.choose(Part.ALL.selection(), null);
            throw new RelayException.Stopped(
                    "there are no events of " + Chosen.of(part) + " in source " + source.name() + ", which has "
                            + described(rows.count()),
                    "correct what is asked for; or wait until there is one",
                    null);
        }
    }

    private void resume(ReplayTopic topic) throws SQLException {
        topic.takeOver();
        Replay begun = topic.noted(); // what the one before may have noted meanwhile, or not long ago
        if (begun == null) {
            throw new RelayException("the replay to " + options.topic() + " is gone", "begin it again", null);
        }
        if (begun.complete()) {
            begin(topic, begun);
            return;
        }
        topic.reached(begun.ends());
        ReplayNotes notes = ReplayNotes.of(begun.run());
        try (SourceDatabase database = new PostgresDatabase(source)) {
            refusals.refuseOtherCluster(Cluster.of(database.server()), notes.cluster());
        }
        try (HistoryRows rows = HistoryRows.at(source, notes.moment().snapshotThen())) {
            rows.choose(notes.chosen().part().selection(), notes.snapshotBefore());
            losses.refuseInTheMiddle(notes, rows.gone(notes.place(), notes.total() - notes.done()));
            account.say("going on behind " + notes.done() + " of " + notes.total() + " events");
            copy(topic, rows, begun, notes);
        }
    }

    /** Ends with the process, however that ends, and does not meet that of another one. */
    private String slot() {
        String name = "tributary_replay_" + ProcessHandle.current().pid() + "_" + source.name();
        return name.substring(0, Math.min(name.length(), SLOT_CHARS_MAX));
    }

    private void waiting(List<String> open) {
        account.say("waiting for open transactions, before whose end the tables' state cannot be taken: "
                + String.join("; ", open));
    }

    private void copy(ReplayTopic topic, HistoryRows rows, Replay begun, ReplayNotes notes) throws SQLException {
        Set<UUID> setAside = new RowsSince(source).setAside(rows.snapshot());
        Predicate<UUID> between = between(notes.chosen().part());
        new CopyRows(
                        source,
                        topic,
                        begun,
                        notes,
                        id -> between.test(id)
                                && !setAside.contains(id)
                                && !source.skip().contains(id),
                        options.eventsPerSecondMax(),
                        account,
                        System::nanoTime)
                .run(rows);
    }

    /** Rows do not know their positions, but as far back as Kafka still has them, live events do. */
    private Predicate<UUID> between(Part part) {
        if (part.from() == null && part.to() == null) {
            return id -> true;
        }
        try (Topics topics = kafka.topics(source.name())) {
            return EventsBetween.read(
                    kafka,
                    source.name(),
                    topics.existing(source.topics()::matches),
                    part.from(),
                    part.to(),
                    System::nanoTime);
        }
    }
}
