package dev.tributary.consumer;

import dev.tributary.consumer.Handover.Reach;
import dev.tributary.consumer.OpenPartition.Result;
import dev.tributary.outbox.wire.Replay;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * History that comes from replayed topics, and the step from there to live events. Until the database says that all of it is
 * applied, no live partition is claimed; then one transaction writes the positions of all of them, as the replays say, and from
 * then on nothing of the replayed topics is applied any more. So each event comes from one side, however partitions lie, whichever
 * instance applies what, and whatever is killed.
 *
 * <p>Thread-safe; one for each subscription.
 */
final class ReplayedHistory {
    private static final Logger LOG = LoggerFactory.getLogger(ReplayedHistory.class);
    private static final Duration LEARN_INTERVAL = Duration.ofSeconds(1);
    private static final String ADD_TO_IT =
            "add what has committed since the replay to it (`relay replay ... --resume`): this goes on by itself then";

    private final SubscriptionConfig config;
    private final Feed feed;
    private final Set<String> topics;
    private final ReplayNotices notices;
    private final HistorySequences sequences;
    private final Transactions transactions;
    private volatile boolean over;
    private Map<String, Replay> complete = Map.of();
    private long learnAt = System.nanoTime();

    private ReplayedHistory(SubscriptionConfig config, Feed feed) {
        this.config = config;
        this.feed = feed;
        this.topics = Set.copyOf(feed.history().replays());
        this.notices = new ReplayNotices(config.kafka());
        this.sequences = new HistorySequences(config.name(), topics);
        this.transactions = new Transactions(config);
    }

    /** That of a subscription; null if its history does not come from replayed topics. */
    static @Nullable ReplayedHistory of(SubscriptionConfig config) {
        Feed feed = config.feed();
        return feed == null || feed.history().replays().isEmpty() ? null : new ReplayedHistory(config, feed);
    }

    /** The replayed topics. */
    Set<String> topics() {
        return topics;
    }

    /** What live events of a partition go on from; null for a partition of history itself. */
    @Nullable
    HistorySequences before(TopicPartition partition) {
        return topics.contains(partition.topic()) ? null : sequences;
    }

    /** Whether live events are what comes next, as far as is known. */
    boolean isOver() {
        return over;
    }

    /** Null if the partition can be claimed now; otherwise why not. Takes the step to live events if it is time to. */
    @Nullable
    Result turnOf(TopicPartition partition) throws SQLException {
        boolean replayed = topics.contains(partition.topic());
        over = transactions.run(connection -> handover(connection).isDone()); // whatever it was: it may have begun anew
        if (over) {
            return replayed ? new Result.Waits() : null;
        }
        try {
            return replayed ? null : step();
        } catch (KafkaException | IOException e) {
            return new Result.NotYet("cannot read what was replayed: " + Failures.describe(e));
        }
    }

    /** For the transaction that claims a partition: whether it is its turn. Keeps it so. */
    boolean isTurnOf(Connection connection, TopicPartition partition) throws SQLException {
        return topics.contains(partition.topic()) != handover(connection).isDoneLocked();
    }

    private Handover handover(Connection connection) {
        return new Handover(connection, config.name(), topics);
    }

    /** One at a time, which is enough, and spares Kafka the others' questions. */
    private synchronized @Nullable Result step() throws SQLException, IOException {
        Result unfit = learn(false);
        if (unfit != null) {
            return unfit;
        }
        if (transactions.run(connection -> handover(connection).reach(complete)) == Reach.BEFORE) {
            return new Result.Waits();
        }
        Result changed = learn(true); // there may be a further round by now
        if (changed != null) {
            return changed;
        }
        Stop gone = gone(livePositions(complete));
        if (gone != null) {
            return new Result.Stopped(gone, null);
        }
        if (transactions.runReadCommitted(this::handOver)) {
            over = true;
            LOG.info("{}: the history in {} is applied; going on with live events", config.name(), topics);
            return null;
        }
        return new Result.Waits();
    }

    private boolean handOver(Connection connection) throws SQLException {
        Handover handover = handover(connection);
        if (!feed.mayClaim(connection) || handover.isDoneLocked() || handover.reachLocked(complete) != Reach.AT) {
            return false;
        }
        handover.run(complete, livePositions(complete));
        connection.commit();
        return true;
    }

    /** Finds out what the replays hold; null if that is known, and all of them are complete. */
    private @Nullable Result learn(boolean again) throws IOException {
        if (!again && !complete.isEmpty()) {
            return null;
        }
        long now = System.nanoTime();
        if (!again && now < learnAt) {
            return new Result.Waits();
        }
        learnAt = now + LEARN_INTERVAL.toNanos();
        complete = Map.of();
        Map<String, Replay> noted = new HashMap<>(notices.read());
        noted.keySet().retainAll(topics);
        Map<String, String> heldBy = new HashMap<>();
        for (String topic : topics) {
            Replay replay = noted.get(topic);
            if (replay == null) {
                return new Result.NotYet(
                        "nothing says what topic " + topic + " holds: `relay replay` has not written to it");
            }
            Stop unfit = unfit(replay, heldBy);
            if (unfit != null) {
                return new Result.Stopped(unfit, null);
            }
            if (!replay.complete()) {
                return new Result.Waits();
            }
        }
        complete = Map.copyOf(noted);
        return null;
    }

    /** @param heldBy live topics with the replays that were found to hold their history */
    private @Nullable Stop unfit(Replay replay, Map<String, String> heldBy) {
        if (replay.isPart()) {
            return new Stop(
                    "topic " + replay.topic() + " holds a part of the history of source " + replay.source()
                            + ", from which nobody knows how to go on",
                    "replay all of it, or whole aggregate types, to another topic");
        }
        Set<String> live = replay.live().keySet();
        if (live.isEmpty()) {
            return new Stop(
                    "topic " + replay.topic() + " was written when source " + replay.source()
                            + " had no live topic yet",
                    ADD_TO_IT);
        }
        if (live.stream().noneMatch(config.topics()::contains)) {
            return new Stop(
                    "topic " + replay.topic() + " holds the history of " + live + ", and none of them is read",
                    "name the replay of a topic that is read; or, if that has come into being since, " + ADD_TO_IT);
        }
        for (String topic : live) {
            String other = config.topics().contains(topic) ? heldBy.put(topic, replay.topic()) : null;
            if (other != null) {
                return new Stop(
                        "both " + other + " and " + replay.topic() + " hold the history of " + topic
                                + ", of which each event would come twice",
                        "name one of them; another replay may hold only other aggregate types");
            }
        }
        return null;
    }

    /** Before the step, so that a further round of the replay can still be applied. */
    private @Nullable Stop gone(Map<TopicPartition, Handover.Start> starts) {
        Map<TopicPartition, Long> earliest = notices.earliest(starts.keySet());
        for (Map.Entry<TopicPartition, Handover.Start> each : starts.entrySet()) {
            long first = earliest.getOrDefault(each.getKey(), 0L);
            if (first > each.getValue().offset()) {
                return new Stop(
                        "the history in " + topics + " is applied, and live events were to go on at offset "
                                + each.getValue().offset() + " of " + each.getKey()
                                + ", but Kafka has deleted everything before " + first,
                        ADD_TO_IT);
            }
        }
        return null;
    }

    private Map<TopicPartition, Handover.Start> livePositions(Map<String, Replay> replays) {
        Map<TopicPartition, Handover.Start> starts = new HashMap<>();
        for (Replay replay : replays.values()) {
            replay.live().forEach((topic, live) -> {
                if (config.topics().contains(topic)) {
                    live.offsets()
                            .forEach((partition, offset) -> starts.put(
                                    new TopicPartition(topic, partition),
                                    new Handover.Start(
                                            live.topicId(), offset, Map.of(replay.source(), replay.last()))));
                }
            });
        }
        return starts;
    }
}
