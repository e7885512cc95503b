package dev.tributary.consumer.progress;

import dev.tributary.consumer.PartitionStatus;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.progress.ProgressDatabase.Look;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.ReadToken;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;

/**
 * What is known of how far a view is, put together from marks, from this instance's positions and from looks into the
 * database; and what follows from it for readers. Thread-safe.
 */
final class ViewStanding {
    private final Followed followed;
    private final Instant startedAt;
    private final Map<String, SourceProgress> sources = new TreeMap<>();
    private final KnownPositions positions = new KnownPositions();
    private Set<String> parked = Set.of();
    private long parkedHereAtLook = -1;

    ViewStanding(Followed followed, Set<String> sourceNames, Instant startedAt) {
        this.followed = followed;
        this.startedAt = startedAt;
        Set<String> topics = followed.topics();
        sourceNames.forEach(name -> sources.put(name, new SourceProgress(name, topics)));
    }

    /** The sources that the view is of. */
    Set<String> sources() {
        return Set.copyOf(sources.keySet());
    }

    /** Takes a mark in; false if it is of a source that the view is not of. */
    synchronized boolean heard(ProgressMark mark) {
        SourceProgress source = sources.get(mark.source());
        if (source == null) {
            return false;
        }
        source.heard(mark);
        return true;
    }

    /** Notes how far this instance is; true if the view has reached a mark by that. */
    synchronized boolean at(List<PartitionStatus> own) {
        positions.own(own);
        Map<TopicPartition, Long> offsets = positions.offsets();
        boolean reached = false;
        for (SourceProgress source : sources.values()) {
            reached |= source.at(offsets);
        }
        return reached;
    }

    /**
     * Notes what the database has said.
     *
     * @param parkedBefore {@link Followed#parkedHere} before it was asked
     */
    synchronized void looked(Look look, List<PartitionStatus> own, long parkedBefore) {
        positions.own(own);
        boolean wentBack = positions.stored(look.nextOffsets());
        Set<String> topics = look.topics();
        if (topics != null) {
            sources.values().forEach(source -> source.reads(topics));
        }
        parked = look.parked();
        parkedHereAtLook = parkedBefore;
        Map<TopicPartition, Long> offsets = positions.offsets();
        for (SourceProgress source : sources.values()) {
            if (wentBack) {
                source.wentBack(offsets);
            } else {
                source.at(offsets);
            }
        }
    }

    /**
     * Whether the view includes what a token stands for, as a reader wants to know.
     *
     * @param epochs those of the token's sources when it was first asked
     */
    record Question(ReadToken token, Map<String, Integer> epochs) {
        private int epochBefore(ReadToken.Write write) {
            return epochs.getOrDefault(write.source(), SourceProgress.EPOCH_UNKNOWN);
        }
    }

    /** @throws SubscriptionException if the token is of a source that the view is not of */
    synchronized Question ask(ReadToken token) {
        Map<String, Integer> epochs = new TreeMap<>();
        token.writes().forEach(write -> epochs.put(write.source(), source(write).epoch()));
        return new Question(token, epochs);
    }

    private SourceProgress source(ReadToken.Write write) {
        SourceProgress source = sources.get(write.source());
        if (source == null) {
            throw new SubscriptionException("the view of " + followed.name() + " is of "
                    + String.join(", ", sources.keySet()) + ", and the token is of source " + write.source()
                    + ": wait with one that reads that source, or name it with sources(...) if this one does");
        }
        return source;
    }

    /**
     * Whether there is nothing to wait for any more.
     *
     * @param parkedIsKnown whether what is parked has been looked at since the positions were
     */
    synchronized boolean isSettled(Question question, boolean parkedIsKnown) {
        boolean waiting = false;
        for (ReadToken.Write write : question.token().writes()) {
            Inclusion.Outcome outcome = source(write).judge(write, question.epochBefore(write));
            if (outcome == Inclusion.Outcome.HISTORY_CHANGED) {
                return true;
            }
            waiting |= outcome == Inclusion.Outcome.NOT_YET;
        }
        return !waiting && (parkedIsKnown || !hasParkedSinceLook());
    }

    synchronized Inclusion answer(Question question) {
        boolean perhapsParked = hasParkedSinceLook();
        return question.token().writes().stream()
                .map(write -> source(write)
                        .describe(write, question.epochBefore(write), perhapsParked || parked.contains(write.source())))
                .reduce(Inclusion::and)
                .orElseThrow();
    }

    /** Of which sources, the database has to say. */
    private boolean hasParkedSinceLook() {
        return followed.parkedHere() != parkedHereAtLook;
    }

    /** Whether, of all that these are about, there is something that only the database can say. */
    synchronized boolean needsLook(Stream<Question> questions) {
        if (hasParkedSinceLook()) {
            return true;
        }
        boolean others = positions.isInDoubt() || !ownsAllPartitions();
        return others
                && questions
                        .flatMap(question -> question.token().writes().stream())
                        .anyMatch(write -> source(write).isOnlyToBeReached(write));
    }

    /** Whether this instance alone moves the view on, and nothing is parked. */
    synchronized boolean ownsAll() {
        return parked.isEmpty() && !positions.isInDoubt() && ownsAllPartitions();
    }

    private boolean ownsAllPartitions() {
        return sources.values().stream().allMatch(source -> positions.owns(source.partitions()));
    }

    /** Whether there are marks that the view has not reached, as far as is known. */
    synchronized boolean isBehind() {
        return sources.values().stream().anyMatch(SourceProgress::isBehind);
    }

    /** @throws SubscriptionException if the view is not of that source */
    synchronized Freshness freshness(String source, Instant now) {
        SourceProgress progress = sources.get(source);
        if (progress == null) {
            throw new SubscriptionException("the view of " + followed.name() + " is of "
                    + String.join(", ", sources.keySet()) + ", and not of " + source);
        }
        Instant complete = progress.completeUpTo();
        Duration age = Duration.between(complete == null ? startedAt : complete, now);
        return new Freshness(source, complete, age.isNegative() ? Duration.ZERO : age, progress.publishedUpTo());
    }
}
