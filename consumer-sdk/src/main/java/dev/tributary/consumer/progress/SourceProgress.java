package dev.tributary.consumer.progress;

import dev.tributary.consumer.progress.Checkpoint.History;
import dev.tributary.consumer.progress.Inclusion.Outcome;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.ReadToken;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * How far a view is with one source: the last checkpoint that its positions have reached, and those ahead of it. Each says all
 * that earlier ones say, so leaving some out makes the answer later and never wrong. Not thread-safe.
 */
final class SourceProgress {
    /** A view that is being built may be hours behind, at five marks a second. */
    static final int AHEAD_MAX = 256;
    /** For {@link #judge}: before anything was heard. */
    static final int EPOCH_UNKNOWN = -1;

    private final String source;
    private Set<String> topics;
    private final ArrayDeque<Checkpoint> ahead = new ArrayDeque<>();
    private final Map<History, Long> reachedLsns = new HashMap<>();
    private Map<TopicPartition, Long> positions = Map.of();
    private @Nullable Checkpoint reached;
    private @Nullable Checkpoint last;
    private @Nullable ProgressMark lastMark;

    SourceProgress(String source, Set<String> topics) {
        this.source = source;
        this.topics = topics;
    }

    void heard(ProgressMark mark) {
        Checkpoint next = Checkpoint.of(mark, topics);
        Checkpoint before = last;
        if (next == null || (before != null && !next.isAfter(before))) {
            return;
        }
        if (before != null && before.epoch() != next.epoch()) {
            reachedLsns.remove(next.history()); // its LSNs are being given out once more
        }
        last = next;
        lastMark = mark;
        Checkpoint farthest = ahead.peekLast();
        if (farthest != null && farthest.asksTheSameAs(next)) {
            ahead.removeLast();
        }
        ahead.addLast(next);
        if (ahead.size() > AHEAD_MAX) {
            leaveOutEveryOther();
        }
        advance();
    }

    private void leaveOutEveryOther() {
        Iterator<Checkpoint> each = ahead.iterator();
        for (int i = ahead.size(); i > 0; i--) {
            each.next();
            if (i % 2 == 0) {
                each.remove();
            }
        }
    }

    /** Notes what the subscription wants next in each partition; true if a mark was reached by that. */
    boolean at(Map<TopicPartition, Long> nextOffsets) {
        positions = nextOffsets;
        return advance();
    }

    private boolean advance() {
        boolean advanced = false;
        Checkpoint next = ahead.peekFirst();
        while (next != null && next.isReachedBy(positions)) {
            reached = next;
            reachedLsns.put(next.history(), next.lsn());
            ahead.removeFirst();
            next = ahead.peekFirst();
            advanced = true;
        }
        return advanced;
    }

    /** Notes that the view was put back, or its positions were: what it had reached is to be reached again. */
    boolean wentBack(Map<TopicPartition, Long> nextOffsets) {
        reached = null;
        reachedLsns.clear();
        ahead.clear();
        if (last != null) {
            ahead.add(last);
        }
        return at(nextOffsets);
    }

    /** Notes which topics are read now: what has been reached of others does not count any more. */
    void reads(Set<String> now) {
        if (!now.equals(topics)) {
            topics = now;
            last = lastMark == null ? null : Checkpoint.of(lastMark, now);
            wentBack(positions);
        }
    }

    /** Up to when, by the source's clock, the view includes all that had committed there; null if not known. */
    @Nullable
    Instant completeUpTo() {
        return reached == null || reached.timeMillis() == 0 ? null : Instant.ofEpochMilli(reached.timeMillis());
    }

    /** The same of Kafka, as the last mark says; null if not known. */
    @Nullable
    Instant publishedUpTo() {
        return last == null || last.timeMillis() == 0 ? null : Instant.ofEpochMilli(last.timeMillis());
    }

    /** Whether there is a mark that the positions have not reached, as far as they are known. */
    boolean isBehind() {
        return !ahead.isEmpty();
    }

    /** The partitions that the last mark names; empty before there is one. */
    Set<TopicPartition> partitions() {
        return last == null ? Set.of() : last.offsets().keySet();
    }

    /** The last mark's epoch. */
    int epoch() {
        return last == null ? EPOCH_UNKNOWN : last.epoch();
    }

    /** Whether the relay has said where the write ends up, and the positions are all that is waited for. */
    boolean isOnlyToBeReached(ReadToken.Write write) {
        Iterator<Checkpoint> latestFirst = ahead.descendingIterator();
        while (latestFirst.hasNext()) {
            Checkpoint each = latestFirst.next();
            if (each.history().equals(History.of(write))) {
                return each.covers(write); // earlier ones cover less
            }
        }
        return false;
    }

    /**
     * Whether the view includes a write.
     *
     * @param epochBefore {@link #epoch} when it was first asked: a token does not say what epoch it is of, as its writer does not
     *     know
     */
    Outcome judge(ReadToken.Write write, int epochBefore) {
        Checkpoint now = last;
        if (now == null) {
            return Outcome.NOT_YET;
        }
        History history = History.of(write);
        boolean again = epochBefore != EPOCH_UNKNOWN && epochBefore != now.epoch();
        if (again && now.history().equals(history)) {
            return Outcome.HISTORY_CHANGED;
        }
        Long upTo = reachedLsns.get(history);
        if (upTo != null && Long.compareUnsigned(upTo, write.lsn()) >= 0) {
            return Outcome.INCLUDED;
        }
        boolean goneBy = !now.history().systemId().equals(history.systemId())
                || Integer.compareUnsigned(now.history().timeline(), history.timeline()) > 0;
        return goneBy && !isOnlyToBeReached(write) ? Outcome.HISTORY_CHANGED : Outcome.NOT_YET;
    }

    /** The same at length. */
    Inclusion describe(ReadToken.Write write, int epochBefore, boolean parked) {
        Outcome outcome = judge(write, epochBefore);
        if (outcome == Outcome.INCLUDED) {
            return new Inclusion(outcome, Duration.ZERO, 0, parked, "");
        }
        Checkpoint target =
                ahead.stream().filter(each -> each.covers(write)).findFirst().orElse(last);
        Instant complete = completeUpTo();
        Duration behind =
                complete == null ? null : Duration.ofMillis(Math.max(0, write.timeMillis() - complete.toEpochMilli()));
        return new Inclusion(
                outcome, behind, target == null ? 0 : target.missing(positions), parked, reason(outcome, write));
    }

    private String reason(Outcome outcome, ReadToken.Write write) {
        Checkpoint now = last;
        if (now == null) {
            return "no progress mark of source " + source + " has been read: see whether its relay runs";
        }
        if (outcome == Outcome.HISTORY_CHANGED) {
            return "source " + source + " is on timeline "
                    + Integer.toUnsignedString(now.history().timeline()) + " of cluster "
                    + now.history().systemId() + " in epoch " + Integer.toUnsignedString(now.epoch())
                    + ", and the token is of timeline " + Integer.toUnsignedString(write.timeline()) + " of cluster "
                    + write.systemId() + ": it failed over or was restored since";
        }
        return isOnlyToBeReached(write)
                ? "the view has yet to apply events of source " + source
                : "the relay of source " + source + " has published up to "
                        + Instant.ofEpochMilli(now.timeMillis())
                        + " only: see whether it keeps up";
    }
}
