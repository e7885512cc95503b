package dev.tributary.relay.replay;

import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.Replay;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.config.TopicTemplate;
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
import dev.tributary.relay.source.PostgresDatabase;
import dev.tributary.relay.source.RowsSince;
import dev.tributary.relay.source.SourceDatabase;
import dev.tributary.relay.source.SourceDatabase.Server;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
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
    /** The ordinal of a position is an unsigned number of 32 bits. */
    private static final long EVENTS_MAX = 1L << 32;

    private static final int SLOT_CHARS_MAX = 63;

    private final SourceConfig source;
    private final Map<String, Object> kafkaProperties;
    private final Kafka kafka;
    private final Options options;
    private final Account account;
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
        this.losses = new Losses(source, options.acceptLoss(), account);
    }

    /**
     * Does it all. Stopped at any time, it goes on with {@link Options#resume}.
     *
     * @throws RelayException with the remedy if it must not or cannot be done
     */
    public void run() throws SQLException {
        requireOwnTables();
        requireUsableTopic();
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

    private void requireOwnTables() {
        if (!source.layout().isOwn()) {
            throw new RelayException.Stopped(
                    "source " + source.name() + " has its events in a table of its own layout, of which there is no"
                            + " history to rely on",
                    "replay works with Tributary's own tables",
                    null);
        }
    }

    private void requireUsableTopic() {
        String topic = options.topic();
        if (!TopicTemplate.isLegal(topic)) {
            throw new RelayException.Stopped(
                    "'" + topic + "' cannot name a topic",
                    "choose another --topic: 1 to 249 of A-Z a-z 0-9 . _ -",
                    null);
        }
        if (source.topics().matches(topic) || topic.startsWith("tributary.")) {
            throw new RelayException.Stopped(
                    "topic " + topic + " is named like those that live events go to, or like the relay's own",
                    "choose another --topic, such as replay." + source.name(),
                    null);
        }
    }

    /** What is there already, if it may be gone on with. */
    private @Nullable Replay noted(ReplayTopic topic) {
        String id = topic.id();
        Replay noted = topic.noted();
        if (noted == null || !noted.topicId().equals(id)) { // of a topic that was deleted since
            if (id != null && !topic.isUntouched()) {
                throw new RelayException.Stopped(
                        "topic " + options.topic() + " exists, and what it holds is no replay",
                        "choose another --topic; or delete it, if nobody needs it",
                        null);
            }
            return null;
        }
        if (!noted.source().equals(source.name())) {
            throw new RelayException.Stopped(
                    "topic " + options.topic() + " holds the history of source " + noted.source(),
                    "choose another --topic",
                    null);
        }
        Chosen before = ReplayNotes.of(noted.run()).chosen();
        if (!before.equals(Chosen.of(options.part()))
                && !(options.resume() && options.part().equals(Part.ALL))) {
            throw new RelayException.Stopped(
                    "topic " + options.topic() + " holds a replay of other events: " + before,
                    "choose another --topic, or ask for the same events",
                    null);
        }
        if (!options.resume() && !options.dryRun()) {
            throw new RelayException.Stopped(
                    noted.complete()
                            ? "topic " + options.topic() + " holds a replay already, which is complete"
                            : "topic " + options.topic() + " holds a replay that was not finished",
                    noted.complete()
                            ? "add what has committed since with --resume, or choose another --topic"
                            : "go on with --resume; or delete the topic to begin again",
                    null);
        }
        return noted;
    }

    private void foretell(@Nullable Replay noted) throws SQLException {
        ReplayNotes notes = noted == null ? null : ReplayNotes.of(noted.run());
        try (HistoryRows rows = HistoryRows.asTheyAre(source)) {
            if (notes == null) {
                rows.choose(options.part().selection(), null);
                Map<String, Long> counts = rows.count();
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

    private static String described(Map<String, Long> counts) {
        long all = counts.values().stream().mapToLong(Long::longValue).sum();
        StringBuilder text = new StringBuilder(all + " events");
        counts.forEach((type, count) ->
                text.append(text.indexOf(":") < 0 ? ": " : ", ").append(count + " of " + type));
        return text.toString();
    }

    /** @param earlier a round that is complete, which is to be added to; null for none */
    private void begin(ReplayTopic topic, @Nullable Replay earlier) throws SQLException {
        ReplayNotes before = earlier == null ? null : ReplayNotes.of(earlier.run());
        Part part = before == null ? options.part() : before.chosen().part();
        try (SourceDatabase database = new PostgresDatabase(source);
                Topics topics = kafka.topics(source.name())) {
            Server server = database.server();
            Cluster cluster = new Cluster(server.systemId(), server.timeline());
            if (before != null) {
                requireSame(cluster, before.cluster());
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
                Map<String, Replay.Live> live =
                        covered(part, ends, topic.live(topics.existing(source.topics()::matches)));
                Map<String, Long> counts = rows.count(); // from now on, they are not dropped
                if (before == null) {
                    requireAny(counts, part, rows);
                    losses.sayBeforeTheFirstRound(part);
                } else {
                    losses.refuseBeforeAnotherRound(part, before.moment());
                }
                long sent = before == null ? 0 : before.sent();
                long total = counts.values().stream().mapToLong(Long::longValue).sum();
                requirePositions(sent, total);
                account.say(described(counts) + " to replay to topic " + options.topic());
                String topicId = topic.create();
                requireUnchanged(topic, topicId, earlier);
                topic.takeOver();
                requireUnchanged(topic, topicId, earlier); // from now on, nobody else writes
                if (earlier != null) {
                    topic.reached(earlier.ends());
                }
                ReplayNotes notes = new ReplayNotes(
                        cluster,
                        Chosen.of(part),
                        Moment.of(rows.snapshot()),
                        before == null ? null : before.moment(),
                        sent,
                        0,
                        total,
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
                        hasWholeTopics(part),
                        null);
                copy(topic, rows, begun, notes);
            }
        }
    }

    /** A part without events is a slip, which would take the topic for good; of a source without events there is no part. */
    private void requireAny(Map<String, Long> counts, Part part, HistoryRows rows) throws SQLException {
        if (counts.isEmpty() && !part.equals(Part.ALL)) {
            rows.choose(Part.ALL.selection(), null);
            throw new RelayException.Stopped(
                    "there are no events of " + Chosen.of(part) + " in source " + source.name() + ", which has "
                            + described(rows.count()),
                    "correct what is asked for; or wait until there is one",
                    null);
        }
    }

    /** Those behind the last position would begin again with the first, and be taken for repeats. */
    static void requirePositions(long sentBefore, long toSend) {
        if (sentBefore + toSend > EVENTS_MAX) {
            throw new RelayException.Stopped(
                    "a replay has positions for " + EVENTS_MAX + " events, and there are " + (sentBefore + toSend),
                    "replay aggregate types one by one, each to a topic of its own: --aggregate-type",
                    null);
        }
    }

    /** While this one waited for open transactions and for the relay, another one may have begun or gone on. */
    private void requireUnchanged(ReplayTopic topic, String topicId, @Nullable Replay earlier) {
        Replay noted = topic.noted();
        Replay now = noted != null && noted.topicId().equals(topicId) ? noted : null;
        if (!Objects.equals(now, earlier)) {
            throw new RelayException.Stopped(
                    "another `replay` has written to topic " + options.topic() + " since this one was started",
                    "see whether it is running; if it is not, go on with --resume",
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
            Server server = database.server();
            requireSame(new Cluster(server.systemId(), server.timeline()), notes.cluster());
        }
        try (HistoryRows rows = HistoryRows.at(source, notes.moment().snapshotThen())) {
            rows.choose(notes.chosen().part().selection(), notes.snapshotBefore());
            losses.refuseInTheMiddle(notes, rows.gone(notes.place(), notes.total() - notes.done()));
            account.say("going on behind " + notes.done() + " of " + notes.total() + " events");
            copy(topic, rows, begun, notes);
        }
    }

    private void requireSame(Cluster now, Cluster then) {
        if (!now.equals(then)) {
            throw new RelayException.Stopped(
                    "the database has failed over, or is another one, since the replay to " + options.topic() + " was"
                            + " begun: which rows there were then cannot be told any more",
                    "begin again, with another topic",
                    null);
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

    /**
     * The topics whose events of before the snapshot are all chosen. Partitions that were made since may hold what the relay was
     * behind with: they are read from their beginning.
     */
    private Map<String, Replay.Live> covered(Part part, Map<String, Replay.Live> then, Map<String, Replay.Live> now) {
        Map<String, Replay.Live> covered = new TreeMap<>();
        if (hasWholeTopics(part)) {
            now.forEach((topic, live) -> {
                boolean chosen = part.aggregateTypes().isEmpty()
                        || part.aggregateTypes().stream()
                                .anyMatch(type -> source.topics().topicFor(type).equals(topic));
                if (chosen) {
                    Replay.Live before = then.get(topic);
                    Map<Integer, Long> ends =
                            before != null && before.topicId().equals(live.topicId()) ? before.offsets() : Map.of();
                    Map<Integer, Long> offsets = new TreeMap<>();
                    live.offsets()
                            .keySet()
                            .forEach(partition -> offsets.put(partition, ends.getOrDefault(partition, 0L)));
                    covered.put(topic, new Replay.Live(live.topicId(), offsets));
                }
            });
        }
        return covered;
    }

    private boolean hasWholeTopics(Part part) {
        boolean byType = !source.topics().topicFor("a").equals(source.topics().topicFor("b"));
        return part.hasWholeTypes() && (byType || part.aggregateTypes().isEmpty());
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
                        account)
                .run(rows);
    }

    /** Rows do not know their positions, but as far back as Kafka still has them, live events do. */
    private Predicate<UUID> between(Part part) {
        if (part.from() == null && part.to() == null) {
            return id -> true;
        }
        try (Topics topics = kafka.topics(source.name())) {
            return EventsBetween.read(
                    kafka, source.name(), topics.existing(source.topics()::matches), part.from(), part.to());
        }
    }
}
