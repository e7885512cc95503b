package dev.tributary.consumer.progress;

import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.progress.ProgressDatabase.Look;
import dev.tributary.consumer.progress.ViewStanding.Question;
import dev.tributary.consumer.view.View;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.ReadToken;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
    private final ViewStanding standing;
    private final Queue<ProgressMark> heard = new ConcurrentLinkedQueue<>();
    private final Set<Waiter> waiters = ConcurrentHashMap.newKeySet();
    private final List<AutoCloseable> readers = new ArrayList<>();
    private final Thread thread;
    private final Clock clock;
    private final @Nullable FreshnessJournal journal;
    private String problem = "";
    private volatile boolean lookSoon;
    private volatile boolean closed;

    private ViewProgress(
            Followed followed, Set<String> sourceNames, @Nullable FreshnessObjective objective, Clock clock) {
        this.followed = followed;
        this.clock = clock;
        this.standing = new ViewStanding(followed, sourceNames, clock.instant());
        this.database = new ProgressDatabase(followed, sourceNames);
        this.journal = objective == null ? null : new FreshnessJournal(followed.name(), objective, database);
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
        for (String source : sources()) {
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
        return standing.sources();
    }

    /**
     * Waits until the view includes what the token stands for: transactions that begin afterwards see it. A transaction that has
     * begun before may not, nor may a replica of the view's database.
     *
     * @param atMost how long; zero for an answer at once
     * @throws SubscriptionException if the token is of a source that the view is not of
     */
    public Inclusion await(ReadToken token, Duration atMost) throws InterruptedException {
        Waiter waiter = new Waiter(standing.ask(token));
        if (settle(waiter, false) || atMost.isNegative() || atMost.isZero()) {
            return standing.answer(waiter.question);
        }
        waiters.add(waiter);
        lookSoon = true;
        LockSupport.unpark(thread);
        try {
            settle(waiter, false); // it may have come between the first look and now
            var unused = waiter.settled.await(atMost.toNanos(), TimeUnit.NANOSECONDS);
            return standing.answer(waiter.question);
        } finally {
            waiters.remove(waiter);
        }
    }

    /** A reader that waits. */
    private static final class Waiter {
        private final Question question;
        private final CountDownLatch settled = new CountDownLatch(1);

        Waiter(Question question) {
            this.question = question;
        }
    }

    /** Lets a waiter go if there is nothing to wait for any more. */
    private boolean settle(Waiter waiter, boolean parkedIsKnown) {
        boolean settled = standing.isSettled(waiter.question, parkedIsKnown);
        if (settled) {
            waiter.settled.countDown();
        }
        return settled;
    }

    /**
     * How fresh the view is with respect to one of its sources.
     *
     * @throws SubscriptionException if the view is not of that source
     */
    public Freshness freshness(String source) {
        return standing.freshness(source, clock.instant());
    }

    /** How the objective's error budget stands; null without an objective, and for the first minutes. */
    public @Nullable ErrorBudget errorBudget(String source) {
        return journal == null ? null : journal.budget(source);
    }

    /** How many readers wait. */
    public int waiting() {
        return waiters.size();
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
        news |= standing.at(followed.ownPartitions());
        if (news || lookSoon) {
            lookSoon = false;
            looks.news();
        }
        boolean readersNeedLook =
                !waiters.isEmpty() && standing.needsLook(waiters.stream().map(waiter -> waiter.question));
        looks.consider(standing.ownsAll(), standing.isBehind(), readersNeedLook);
        boolean looked = looks.isDue() && look();
        if (news || looked) {
            waiters.forEach(waiter -> settle(waiter, looked));
        }
        if (journal != null) {
            sample(journal);
            journal.recordIfDue(clock.instant());
        }
    }

    private boolean hear() {
        boolean any = false;
        for (ProgressMark mark = heard.poll(); mark != null; mark = heard.poll()) {
            any |= standing.heard(mark);
        }
        return any;
    }

    private boolean look() {
        long parkedBefore = followed.parkedHere();
        try {
            Look look = database.look();
            looks.looked();
            problem = "";
            standing.looked(look, followed.ownPartitions(), parkedBefore);
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

    private void sample(FreshnessJournal notes) {
        Instant now = clock.instant();
        sources()
                .forEach(source -> notes.sample(
                        source, now, standing.freshness(source, now).completeUpTo()));
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
