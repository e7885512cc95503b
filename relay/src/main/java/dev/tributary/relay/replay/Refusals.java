package dev.tributary.relay.replay;

import dev.tributary.outbox.wire.Replay;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.config.TopicTemplate;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.replay.HistoryReplay.Options;
import dev.tributary.relay.replay.ReplayNotes.Chosen;
import dev.tributary.relay.replay.ReplayNotes.Cluster;
import dev.tributary.relay.sink.ReplayTopic;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What keeps a replay from being begun, or gone on with, besides rows that are gone ({@link Losses}). */
final class Refusals {
    /** The ordinal of a position is an unsigned number of 32 bits. */
    private static final long EVENTS_MAX = 1L << 32;

    private final SourceConfig source;
    private final Options options;

    Refusals(SourceConfig source, Options options) {
        this.source = source;
        this.options = options;
    }

    void refuseOtherTables() {
        if (!source.layout().isOwn()) {
            throw new RelayException.Stopped(
                    "source " + source.name() + " has its events in a table of its own layout, of which there is no"
                            + " history to rely on",
                    "replay works with Tributary's own tables",
                    null);
        }
    }

    void refuseUnusableTopic() {
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

    /** @param id of the topic, which holds no replay; null if it does not exist */
    void refuseOtherContent(ReplayTopic topic, @Nullable String id) {
        if (id != null && !topic.isUntouched()) {
            throw new RelayException.Stopped(
                    "topic " + options.topic() + " exists, and what it holds is no replay",
                    "choose another --topic; or delete it, if nobody needs it",
                    null);
        }
    }

    /** What is there already has to be what is asked for, and to be gone on with. */
    void refuseOtherReplay(Replay noted) {
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
    }

    /** While this one waited for open transactions and for the relay, another one may have begun or gone on. */
    void refuseOthersWork(ReplayTopic topic, String topicId, @Nullable Replay earlier) {
        Replay noted = topic.noted();
        Replay now = noted != null && noted.topicId().equals(topicId) ? noted : null;
        if (!Objects.equals(now, earlier)) {
            throw new RelayException.Stopped(
                    "another `replay` has written to topic " + options.topic() + " since this one was started",
                    "see whether it is running; if it is not, go on with --resume",
                    null);
        }
    }

    void refuseOtherCluster(Cluster now, Cluster then) {
        if (!now.equals(then)) {
            throw new RelayException.Stopped(
                    "the database has failed over, or is another one, since the replay to " + options.topic() + " was"
                            + " begun: which rows there were then cannot be told any more",
                    "begin again, with another topic",
                    null);
        }
    }

    /** Those behind the last position would begin again with the first, and be taken for repeats. */
    static void refuseTooMany(long sentBefore, long toSend) {
        if (sentBefore + toSend > EVENTS_MAX) {
            throw new RelayException.Stopped(
                    "a replay has positions for " + EVENTS_MAX + " events, and there are " + (sentBefore + toSend),
                    "replay aggregate types one by one, each to a topic of its own: --aggregate-type",
                    null);
        }
    }
}
