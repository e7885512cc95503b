package dev.tributary.consumer.progress;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.consumer.Added;
import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionBed;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.ViewDatabase;
import dev.tributary.consumer.progress.Inclusion.Outcome;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.wire.ReadToken;
import java.lang.management.ManagementFactory;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** With the real broker and database, and marks as a relay would write them. */
class ViewProgressIT {
    private static final int PARTITIONS = 3;
    private static final Duration PATIENCE = SubscriptionBed.PATIENCE;
    private static final Duration SHORT = Duration.ofMillis(300);

    private final SubscriptionBed bed = new SubscriptionBed(LocalPostgres.shared(), LocalKafka.shared(), PARTITIONS);
    private final TestMarks marks = new TestMarks(LocalKafka.shared());
    private final List<ViewProgress> started = new ArrayList<>();
    private final ExecutorService readers = Executors.newCachedThreadPool();
    private final CountDownLatch holdHandlers = new CountDownLatch(1);

    @BeforeEach
    void createTopic() throws Exception {
        marks.createTopic();
    }

    @AfterEach
    void close() {
        holdHandlers.countDown();
        readers.shutdownNow();
        started.forEach(ViewProgress::close);
        bed.close();
        marks.close();
    }

    @Test
    void errorWhileMarksAreReadIsNotTheEndOfIt() throws Exception {
        List<Long> heard = new CopyOnWriteArrayList<>();
        AtomicBoolean fails = new AtomicBoolean(true);
        AutoCloseable reading = MarksReader.read(
                Map.of("bootstrap.servers", LocalKafka.shared().bootstrapServers()), marks.source, mark -> {
                    if (fails.getAndSet(false)) {
                        throw new NoClassDefFoundError("simulated");
                    }
                    heard.add(mark.lsn());
                });
        try (reading) {
            marks.say(100, bed.topic.name(), 1);
            eventually(() -> assertThat(fails).isFalse());
            marks.say(200, bed.topic.name(), 1);
            eventually(() -> assertThat(heard).contains(100L, 200L));
        }
    }

    @Test
    void itWaitsForTheMarkAndForEveryPartition() throws Exception {
        CountDownLatch caught = new CountDownLatch(1);
        ViewProgress progress = progress(bed.start(bed.bare().on(Added.TYPE, Added.class, (event, connection) -> {
            if (event.payload().amount() == 4711) {
                caught.countDown();
                holdHandlers.await();
            }
            ViewDatabase.apply(event, connection);
        })));
        send(20);
        bed.eventuallyApplied(20);
        assertThat(progress.await(marks.token(100), SHORT).outcome())
                .as("applied, but no mark says that this is all")
                .isEqualTo(Outcome.NOT_YET);
        bed.topic.send(bed.topic.added("held", 4711));
        caught.await();
        say(100);
        Future<Inclusion> reader = readers.submit(() -> progress.await(marks.token(100), PATIENCE));
        eventually(
                () -> { // once it has heard of the mark
                    Inclusion meanwhile = progress.await(marks.token(100), SHORT);
                    assertThat(meanwhile.outcome()).isEqualTo(Outcome.NOT_YET);
                    assertThat(meanwhile.eventsBehind()).isEqualTo(1);
                    assertThat(meanwhile.reason()).contains("has yet to apply");
                });
        assertThat(reader).isNotDone();
        holdHandlers.countDown();
        assertThat(reader.get().included()).isTrue();
        assertThat(bed.view.appliedCount()).isEqualTo(21);
        assertThat(progress.await(marks.token(101), Duration.ZERO).reason()).contains("relay of source");
    }

    @Test
    void anInstanceThatOwnsNothingKnowsItToo() throws Exception {
        Subscription owner = bed.start();
        eventually(() -> assertThat(owner.status().partitions()).hasSize(PARTITIONS));
        Subscription idle = bed.start(bed.accounts().topics(bed.topic.name()));
        // Nothing that it owns: what it is asked for first has to come from the database
        ViewProgress elsewhere = progress(idle);
        for (int i = 1; i <= 20; i++) {
            send(3);
            say(100L * i);
            Inclusion inclusion = elsewhere.await(marks.token(100L * i), PATIENCE);
            assertThat(inclusion.included()).isTrue();
            assertThat(bed.view.appliedCount()).isEqualTo(3L * i);
            if (i == 10) {
                owner.close(); // its partitions move while readers wait
            }
        }
    }

    @Test
    void aSourceThatTheViewIsNotOfIsAnError() throws Exception {
        ViewProgress progress = progress(bed.start());
        ReadToken other = ReadToken.parse("1~billing.1.1.1.1");
        assertThatThrownBy(() -> progress.await(other.and(marks.token(1)), PATIENCE))
                .isInstanceOf(SubscriptionException.class)
                .hasMessageContaining("billing")
                .hasMessageContaining(marks.source);
    }

    @Test
    void tokensOfSeveralSourcesAreWaitedForTogether() throws Exception {
        try (TestMarks others = new TestMarks(LocalKafka.shared())) {
            ViewProgress progress = start(ViewProgress.of(bed.start()).sources(marks.source, others.source));
            send(3);
            say(100);
            ReadToken both = marks.token(100).and(others.token(100));
            assertThat(progress.await(marks.token(100), PATIENCE).included()).isTrue();
            Inclusion half = progress.await(both, SHORT);
            assertThat(half.outcome()).isEqualTo(Outcome.NOT_YET);
            assertThat(half.reason()).contains("no progress mark of source " + others.source);
            Future<Inclusion> reader = readers.submit(() -> progress.await(both, PATIENCE));
            others.createTopic(); // a source may begin to exist while it is waited for
            others.say(100, bed.topic.name(), PARTITIONS);
            assertThat(reader.get().included()).isTrue();
        }
    }

    @Test
    void parkedEventsAreToldOf() throws Exception {
        ViewProgress progress = progress(bed.start(bed.bare().on(Added.TYPE, Added.class, (event, connection) -> {
            if (event.payload().amount() == 4711) {
                throw new IllegalStateException("poison");
            }
            ViewDatabase.apply(event, connection);
        })));
        send(3);
        say(100);
        assertThat(progress.await(marks.token(100), PATIENCE))
                .isEqualTo(new Inclusion(Outcome.INCLUDED, Duration.ZERO, 0, false, ""));
        bed.topic.send(bed.topic.event(marks.source, "bad", Added.TYPE, "{\"amount\":4711}"));
        say(200);
        assertThat(progress.await(marks.token(200), PATIENCE))
                .isEqualTo(new Inclusion(Outcome.INCLUDED, Duration.ZERO, 0, true, ""));
    }

    @Test
    void aFailoverAnswersThoseWhoWait() throws Exception {
        ViewProgress progress = progress(bed.start());
        send(3);
        say(100);
        ReadToken early = marks.token(100);
        ReadToken late = marks.token(1_000);
        assertThat(progress.await(early, PATIENCE).included()).isTrue();
        Future<Inclusion> reader = readers.submit(() -> progress.await(late, PATIENCE));
        marks.failOver();
        say(2_000);
        assertThat(reader.get().outcome()).isEqualTo(Outcome.HISTORY_CHANGED);
        assertThat(progress.await(early, Duration.ZERO).included()).isTrue();
        assertThat(progress.await(marks.token(2_000), PATIENCE).included()).isTrue();
    }

    @Test
    void positionsThatWerePutBackAreReachedAnewBeforeAnythingIsIncluded() throws Exception {
        Subscription first = bed.start();
        send(30);
        say(100);
        bed.eventuallyApplied(30);
        first.close();
        ViewProgress progress = progress(first); // feeds nothing any more: all comes from the database
        assertThat(progress.await(marks.token(100), PATIENCE).included()).isTrue();
        bed.view.execute("UPDATE tributary.subscription_position SET next_offset = 0, positions = '{}'");
        eventually(
                () -> assertThat(progress.await(marks.token(100), Duration.ZERO).outcome())
                        .isEqualTo(Outcome.NOT_YET));
        bed.start();
        assertThat(progress.await(marks.token(100), PATIENCE).included()).isTrue();
        assertThat(bed.view.appliedCount()).isEqualTo(60);
    }

    @Test
    void itIsKnownUpToWhenTheViewIsCompleteAlsoWhenNothingIsWritten() throws Exception {
        Subscription owner = bed.start();
        eventually(() -> assertThat(owner.status().partitions()).hasSize(PARTITIONS));
        ViewProgress elsewhere = progress(bed.start());
        assertThat(elsewhere.freshness(marks.source).completeUpTo()).isNull();
        send(3);
        Instant sent = Instant.now();
        say(100);
        eventually(() -> assertThat(elsewhere.freshness(marks.source).completeUpTo())
                .isAfterOrEqualTo(sent.truncatedTo(ChronoUnit.MILLIS)));
        Instant before = elsewhere.freshness(marks.source).completeUpTo();
        say(100); // idle
        eventually(() ->
                assertThat(elsewhere.freshness(marks.source).completeUpTo()).isAfter(before));
        Freshness freshness = elsewhere.freshness(marks.source);
        assertThat(freshness.publishedUpTo()).isEqualTo(freshness.completeUpTo());
        eventually(() -> assertThat(elsewhere.freshness(marks.source).age()).isGreaterThan(Duration.ofSeconds(1)));
        assertThatThrownBy(() -> elsewhere.freshness("billing")).isInstanceOf(SubscriptionException.class);
    }

    @Test
    void theErrorBudgetIsKeptInTheDatabaseByAllInstancesTogether() throws Exception {
        FreshnessObjective objective = FreshnessObjective.ofDefaults();
        SteppedClock clock = new SteppedClock();
        Subscription subscription = bed.start();
        ViewProgress one = start(ViewProgress.of(subscription)
                .sources(marks.source)
                .objective(objective)
                .clock(clock));
        ViewProgress other = start(ViewProgress.of(bed.start())
                .sources(marks.source)
                .objective(objective)
                .clock(clock));
        eventually(
                () -> { // it knows nothing of a minute that was over when it first looked at the clock
                    clock.nextMinute();
                    assertThat(lastMinute()).isPositive();
                });
        for (int i = 0; i < 3; i++) {
            clock.nextMinute();
            eventually(() -> assertThat(lastMinute()).isEqualTo(clock.minute() - 1));
        }
        eventually(() -> {
            assertThat(one.errorBudget(marks.source)).isNotNull();
            assertThat(one.errorBudget(marks.source)).isEqualTo(other.errorBudget(marks.source));
        });
        ErrorBudget budget = one.errorBudget(marks.source);
        assertThat(budget.badMinutes())
                .as("nothing is known of the source")
                .isEqualTo(budget.minutes())
                .isPositive();
        one.close();
        assertThat(lastMinute()).as("the one that is not over").isEqualTo(clock.minute());
        assertThat(bed.view.number("SELECT count(*) FROM tributary.view_freshness"))
                .isEqualTo(
                        bed.view.number(
                                "SELECT (extract(epoch FROM max(minute) - min(minute)) / 60)::bigint + 1 FROM tributary.view_freshness"));
    }

    private long lastMinute() {
        return bed.view.number(
                "SELECT coalesce((extract(epoch FROM max(minute)) / 60)::bigint, 0) FROM tributary.view_freshness");
    }

    /** Stands still but for its steps: a clock that ran would begin one more minute in one run of twenty. */
    private static final class SteppedClock extends Clock {
        private volatile Instant now = Instant.now();

        void nextMinute() {
            now = now.plus(Duration.ofMinutes(1));
        }

        long minute() {
            return now.getEpochSecond() / 60;
        }

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            throw new UnsupportedOperationException();
        }
    }

    @Test
    void aThousandReadersWhoWaitCostNothing() throws Exception {
        ViewProgress progress = progress(bed.start());
        send(3);
        say(100);
        assertThat(progress.await(marks.token(100), PATIENCE).included()).isTrue();
        List<Future<Inclusion>> waiting = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            waiting.add(readers.submit(() -> progress.await(marks.token(200), PATIENCE)));
        }
        long thread = progressThread();
        eventually(() -> assertThat(progress.waiting()).isEqualTo(1_000));
        long before = ManagementFactory.getThreadMXBean().getThreadCpuTime(thread);
        long start = System.nanoTime();
        for (int i = 0; i < 100; i++) {
            send(3);
        }
        bed.eventuallyApplied(303);
        long cpu = ManagementFactory.getThreadMXBean().getThreadCpuTime(thread) - before;
        double share = (double) cpu / Math.max(TimeUnit.SECONDS.toNanos(1), System.nanoTime() - start);
        assertThat(share).isLessThan(0.25);
        say(200);
        for (Future<Inclusion> each : waiting) {
            assertThat(each.get().included()).isTrue();
        }
        assertThat(progress.waiting()).isZero();
    }

    private long progressThread() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("tributary-" + bed.name + "-progress"))
                .findFirst()
                .orElseThrow()
                .getId();
    }

    private ViewProgress progress(Subscription subscription) {
        return start(ViewProgress.of(subscription).sources(marks.source));
    }

    private ViewProgress start(ViewProgress.Builder builder) {
        ViewProgress progress = builder.start();
        started.add(progress);
        return progress;
    }

    private void send(int events) {
        for (int i = 0; i < events; i++) {
            bed.topic.enqueue(bed.topic.added("a" + i, 1));
        }
        bed.topic.flush();
    }

    private void say(long lsn) throws Exception {
        marks.say(lsn, bed.topic.name(), PARTITIONS);
    }
}
