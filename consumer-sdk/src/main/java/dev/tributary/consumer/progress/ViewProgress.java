package dev.tributary.consumer.progress;

import dev.tributary.consumer.PartitionStatus;
import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.progress.ProgressDatabase.Look;
import dev.tributary.consumer.view.View;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.ReadToken;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a view includes, whichever instances feed it: a reader can wait for a write that it has a token of, and everybody can
 * ask up to when it is complete, which moves on also when nothing is written. One thread compares the relay's progress marks
 * with the positions of the subscription that feeds the view, or of the view's live version, which costs nothing per event;
 * waiting readers cost nothing but their threads. Thread-safe.
 */
public final class ViewProgress implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ViewProgress.class);
    private static final Duration TURN_EVERY = Duration.ofMillis(250);
    private static final Duration CLOSE_MAX = Duration.ofSeconds(6);
    private static final Pattern TOPIC_OF_SOURCE = Pattern.compile("([a-z0-9_]+)\\..+");

    private final Followed followed;
    private final ProgressDatabase database;
    private final Looks looks = new Looks();
    private final Map<String, SourceProgress> sources = new TreeMap<>();
    private final KnownPositions positions = new KnownPositions();
    private final Queue<ProgressMark> heard = new ConcurrentLinkedQueue<>();
    private final Set<Waiter> waiters = ConcurrentHashMap.newKeySet();
    private final List<AutoCloseable> readers = new ArrayList<>();
    private final Thread thread;
    private final Clock clock;
    private final Instant startedAt;
    private final @Nullable FreshnessJournal journal;
    private Set<String> parked = Set.of();
    private volatile long parkedHereAtLook = -1;
    private String problem = "";
    private volatile boolean lookSoon;
    private volatile boolean closed;

    private ViewProgress(
            Followed followed, Set<String> sourceNames, @Nullable FreshnessObjective objective, Clock clock) {
        this.followed = followed;
        this.clock = clock;
        this.startedAt = clock.instant();
        this.database = new ProgressDatabase(followed, sourceNames);
        this.journal = objective == null ? null : new FreshnessJournal(followed.name(), objective, database);
        Set<String> topics = followed.topics();
        sourceNames.forEach(name -> sources.put(name, new SourceProgress(name, topics)));
        this.thread = new Thread(this::run, "tributary-" + followed.name() + "-progress");
        thread.setDaemon(true);
    }

    /** Starts describing what is to accompany a subscription. */
    public static Builder of(Subscription subscription) {
        return new Builder(new Followed.OfSubscription(subscription));
    }

    /** Starts describing what is to accompany a view with versions: it goes by the one that is live. */
    public static Builder of(View view) {
        return new Builder(new Followed.OfView(view));
    }

    /** Describes it. Not thread-safe. */
    public static final class Builder {
        private final Followed followed;
        private final Set<String> sources = new TreeSet<>();
        private @Nullable FreshnessObjective objective;
        private Clock clock = Clock.systemUTC();

        private Builder(Followed followed) {
            this.followed = followed;
        }

        /**
         * Names the sources that the subscription's topics are of. By default what stands before the first dot of each topic,
         * as the relay names topics.
         */
        public Builder sources(String... names) {
            sources.addAll(List.of(names));
            return this;
        }

        /**
         * Has it recorded, once a minute in the view's database, whether the view is as fresh as this asks; not by default.
         * Instances of one subscription must agree on it.
         */
        public Builder objective(FreshnessObjective wanted) {
            objective = wanted;
            return this;
        }

        /** What ages are told by; the system's by default. */
        Builder clock(Clock source) {
            clock = source;
            return this;
        }

        /**
         * Starts it. Kafka, the relay's topics of marks and the database may be away: it waits for them.
         *
         * @throws SubscriptionException if it cannot be told which sources the topics are of
         */
        public ViewProgress start() {
            Set<String> named = sources.isEmpty() ? sourcesOfTopics() : Set.copyOf(sources);
            ViewProgress progress = new ViewProgress(followed, named, objective, clock);
            progress.start();
            return progress;
        }

        private Set<String> sourcesOfTopics() {
            Set<String> found = new TreeSet<>();
            for (String topic : followed.topics()) {
                Matcher matcher = TOPIC_OF_SOURCE.matcher(topic);
                if (!matcher.matches()) {
                    throw new SubscriptionException(followed.name()
                            + ": which source topic " + topic + " is of cannot be told by its name; name the"
                            + " sources with sources(...)");
                }
                found.add(matcher.group(1));
            }
            return found;
        }
    }

    private void start() {
        for (String source : sources.keySet()) {
            readers.add(MarksReader.read(followed.kafka(), source, mark -> {
                heard.add(mark);
                LockSupport.unpark(thread);
            }));
        }
        followed.onCommit(this::committed);
        thread.start();
    }

    /** Called by workers after each of their commits. */
    private void committed() {
        if (!waiters.isEmpty()) {
            lookSoon |= followed.ownPartitions().isEmpty(); // what this commit has changed, the database has to say
            LockSupport.unpark(thread);
        }
    }

    /** The sources that the view is of. */
    public Set<String> sources() {
        return Set.copyOf(sources.keySet());
    }

    /**
     * Waits until the view includes what the token stands for: transactions that begin afterwards see it. A transaction that has
     * begun before may not, nor may a replica of the view's database.
     *
     * @param atMost how long; zero for an answer at once
     * @throws SubscriptionException if the token is of a source that the view is not of
     */
    public Inclusion await(ReadToken token, Duration atMost) throws InterruptedException {
        Waiter waiter = new Waiter(token);
        if (settle(waiter, false) || atMost.isNegative() || atMost.isZero()) {
            return describe(waiter);
        }
        waiters.add(waiter);
        lookSoon = true;
        LockSupport.unpark(thread);
        try {
            settle(waiter, false); // it may have come between the first look and now
            var unused = waiter.settled.await(atMost.toNanos(), TimeUnit.NANOSECONDS);
            return describe(waiter);
        } finally {
            waiters.remove(waiter);
        }
    }

    /**
     * How fresh the view is with respect to one of its sources.
     *
     * @throws SubscriptionException if the view is not of that source
     */
    public Freshness freshness(String source) {
        SourceProgress progress = sources.get(source);
        if (progress == null) {
            throw new SubscriptionException("the view of " + followed.name() + " is of "
                    + String.join(", ", sources.keySet()) + ", and not of " + source);
        }
        synchronized (sources) {
            Instant complete = progress.completeUpTo();
            Duration age = Duration.between(complete == null ? startedAt : complete, clock.instant());
            return new Freshness(source, complete, age.isNegative() ? Duration.ZERO : age, progress.publishedUpTo());
        }
    }

    /** How the objective's error budget stands; null without an objective, and for the first minutes. */
    public @Nullable ErrorBudget errorBudget(String source) {
        return journal == null ? null : journal.budget(source);
    }

    /** How many readers wait. */
    public int waiting() {
        return waiters.size();
    }

    /** A reader that waits. */
    private final class Waiter {
        private final ReadToken token;
        private final Map<String, Integer> epochs = new TreeMap<>();
        private final CountDownLatch settled = new CountDownLatch(1);

        Waiter(ReadToken token) {
            this.token = token;
            synchronized (sources) {
                for (ReadToken.Write write : token.writes()) {
                    epochs.put(write.source(), source(write).epoch());
                }
            }
        }

        int epochBefore(ReadToken.Write write) {
            return epochs.getOrDefault(write.source(), SourceProgress.EPOCH_UNKNOWN);
        }
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
     * Lets a waiter go if there is nothing to wait for any more.
     *
     * @param parkedIsKnown whether what is parked has been looked at since the positions were
     */
    private boolean settle(Waiter waiter, boolean parkedIsKnown) {
        synchronized (sources) {
            boolean waiting = false;
            boolean changed = false;
            for (ReadToken.Write write : waiter.token.writes()) {
                Inclusion.Outcome outcome = source(write).judge(write, waiter.epochBefore(write));
                waiting |= outcome == Inclusion.Outcome.NOT_YET;
                changed |= outcome == Inclusion.Outcome.HISTORY_CHANGED;
            }
            boolean settled = changed || (!waiting && (parkedIsKnown || parkedHere() == parkedHereAtLook));
            if (settled) {
                waiter.settled.countDown();
            }
            return settled;
        }
    }

    private Inclusion describe(Waiter waiter) {
        boolean perhapsParked = parkedHere() != parkedHereAtLook;
        synchronized (sources) {
            return waiter.token.writes().stream()
                    .map(write -> source(write)
                            .describe(
                                    write, waiter.epochBefore(write), perhapsParked || parked.contains(write.source())))
                    .reduce(Inclusion::and)
                    .orElseThrow();
        }
    }

    /** Events that this instance has parked so far; what others have parked is found with their positions. */
    private long parkedHere() {
        return followed.parkedHere();
    }

    private void run() {
        while (!closed) {
            try {
                turn();
            } catch (RuntimeException | Error e) { // a thread that ended here would let every reader wait in vain
                LOG.error("{}: progress", followed.name(), e);
            }
            long rest = TURN_EVERY.toNanos();
            LockSupport.parkNanos(waiters.isEmpty() ? rest : Math.min(rest, looks.nanosUntilDue()));
        }
        if (journal != null) {
            sample(journal);
            journal.recordAll(clock.instant());
        }
    }

    private void turn() {
        boolean news = hear();
        news |= advance(null, parkedHereAtLook);
        if (news || lookSoon) {
            lookSoon = false;
            looks.news();
        }
        looks.consider(ownsAll(), isBehind(), readersWaitForOthers());
        boolean looked = looks.isDue() && look();
        if (news || looked) {
            waiters.forEach(waiter -> settle(waiter, looked));
        }
        if (journal != null) {
            sample(journal);
            journal.recordIfDue(clock.instant());
        }
    }

    private void sample(FreshnessJournal notes) {
        synchronized (sources) {
            sources.forEach((name, source) -> notes.sample(name, clock.instant(), source.completeUpTo()));
        }
    }

    private boolean hear() {
        boolean any = false;
        synchronized (sources) {
            for (ProgressMark mark = heard.poll(); mark != null; mark = heard.poll()) {
                SourceProgress source = sources.get(mark.source());
                if (source != null) {
                    source.heard(mark);
                    any = true;
                }
            }
        }
        return any;
    }

    private boolean look() {
        long parkedBefore = parkedHere();
        try {
            Look look = database.look();
            looks.looked();
            problem = "";
            advance(look, parkedBefore);
            return true;
        } catch (SQLException e) {
            looks.failed();
            if (!problem.equals(e.toString())) {
                problem = e.toString();
                LOG.warn("{}: the view's database does not say how far the view is: {}", followed.name(), problem);
            }
            return false;
        }
    }

    /** Whether the view has reached a mark by it. */
    private boolean advance(@Nullable Look look, long parkedBefore) {
        List<PartitionStatus> own = followed.ownPartitions();
        synchronized (sources) {
            positions.own(own);
            boolean wentBack = look != null && positions.stored(look.nextOffsets());
            if (look != null) {
                if (look.topics() != null) {
                    sources.values().forEach(source -> source.reads(look.topics()));
                }
                parked = look.parked();
                parkedHereAtLook = parkedBefore;
            }
            Map<TopicPartition, Long> offsets = positions.offsets();
            boolean reached = false;
            for (SourceProgress source : sources.values()) {
                reached |= wentBack ? source.wentBack(offsets) : source.at(offsets);
            }
            return reached;
        }
    }

    private boolean ownsAll() {
        synchronized (sources) {
            return parked.isEmpty()
                    && !positions.isInDoubt()
                    && sources.values().stream().allMatch(source -> positions.owns(source.partitions()));
        }
    }

    private boolean isBehind() {
        synchronized (sources) {
            return sources.values().stream().anyMatch(SourceProgress::isBehind);
        }
    }

    private boolean readersWaitForOthers() {
        if (waiters.isEmpty()) {
            return false;
        }
        if (parkedHere() != parkedHereAtLook) {
            return true;
        }
        synchronized (sources) {
            boolean others = positions.isInDoubt()
                    || sources.values().stream().anyMatch(source -> !positions.owns(source.partitions()));
            return others
                    && waiters.stream()
                            .flatMap(waiter -> waiter.token.writes().stream())
                            .anyMatch(write -> source(write).isOnlyToBeReached(write));
        }
    }

    /** Readers that wait get what can be said by then. The subscription is not closed. */
    @Override
    public void close() {
        closed = true;
        followed.onCommit(() -> {});
        for (AutoCloseable reader : readers) {
            try {
                reader.close();
            } catch (Exception e) {
                LOG.debug("{}: not closed cleanly", followed.name(), e);
            }
        }
        LockSupport.unpark(thread);
        try {
            thread.join(CLOSE_MAX.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        waiters.forEach(waiter -> waiter.settled.countDown());
    }
}
