package dev.tributary.consumer.view;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.consumer.Added;
import dev.tributary.consumer.SubscriptionBed;
import dev.tributary.consumer.progress.Freshness;
import dev.tributary.consumer.progress.Inclusion;
import dev.tributary.consumer.progress.Inclusion.Outcome;
import dev.tributary.consumer.progress.TestMarks;
import dev.tributary.consumer.progress.ViewProgress;
import dev.tributary.localstack.LocalKafka;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Readers wait for what they will see, whichever version they see. */
class ProgressOfVersionsIT {
    private static final int PARTITIONS = 2;
    private static final Duration PATIENCE = SubscriptionBed.PATIENCE;
    private static final Duration SHORT = Duration.ofMillis(500);
    private static final long HELD = 4_711;

    private final ViewBed bed = new ViewBed(PARTITIONS);
    private final TestMarks marks = new TestMarks(LocalKafka.shared());
    private final ExecutorService executor = Executors.newCachedThreadPool();
    private final CountDownLatch second = new CountDownLatch(1);
    private long lsn = 100;

    @BeforeEach
    void createTopic() throws Exception {
        marks.createTopic();
    }

    @AfterEach
    void close() {
        second.countDown();
        executor.shutdownNow();
        bed.close();
        marks.close();
    }

    private View.Builder bothVersions() {
        return bed.view(1).version(Accounts.version(2, (event, connection) -> {
            if (event.payload().amount() == HELD) {
                second.await();
            }
            Accounts.apply(event, connection);
        }));
    }

    private Inclusion await(ViewProgress progress, Duration atMost) throws InterruptedException {
        return progress.await(marks.token(lsn), atMost);
    }

    private void say() throws Exception {
        lsn++;
        marks.say(lsn, bed.topic.name(), PARTITIONS);
    }

    private long visible() {
        return bed.database.number("SELECT count(*) FROM " + bed.name + ".applied");
    }

    @Test
    void theVersionThatIsLiveIsWaitedForAlsoWhereItIsNotFed() throws Exception {
        bed.send(20);
        View view = bed.start(bed.view(1));
        ViewBed.eventuallyLive(view, 1);
        view.close();
        View both = bed.start(bothVersions());
        View firstOnly = bed.start(bed.view(1));
        try (ViewProgress here = ViewProgress.of(both).sources(marks.source).start();
                ViewProgress elsewhere =
                        ViewProgress.of(firstOnly).sources(marks.source).start()) {
            ViewBed.eventuallyLive(both, 2);
            say();
            assertThat(await(here, PATIENCE).included()).isTrue();
            assertThat(await(elsewhere, PATIENCE).included()).isTrue();

            bed.topic.send(bed.topic.event("sales", "held", Added.TYPE, "{\"amount\":" + HELD + "}"));
            eventually(() -> assertThat(bed.database.number("SELECT count(*) FROM " + bed.name + "_v1.applied"))
                    .isEqualTo(21));
            say();
            assertThat(await(here, SHORT).outcome())
                    .as("only the previous version has it")
                    .isEqualTo(Outcome.NOT_YET);
            assertThat(await(elsewhere, SHORT).outcome()).isEqualTo(Outcome.NOT_YET);
            Future<Inclusion> reader = executor.submit(() -> await(elsewhere, PATIENCE));
            second.countDown();
            assertThat(await(here, PATIENCE).included()).isTrue();
            assertThat(reader.get().included()).isTrue();
            assertThat(visible()).isEqualTo(21);
            Freshness freshness = elsewhere.freshness(marks.source);
            assertThat(freshness.completeUpTo()).isEqualTo(freshness.publishedUpTo());
        }
    }

    @Test
    void whatIsIncludedIsVisibleWhileVersionsTakeOverFromEachOther() throws Exception {
        bed.send(20);
        View view = bed.start(bed.view(1));
        ViewBed.eventuallyLive(view, 1);
        view.close();
        View both = bed.start(bed.view(1, 2));
        ViewBed.eventuallyLive(both, 2);
        try (ViewProgress progress = ViewProgress.of(both).sources(marks.source).start()) {
            Future<?> switches = executor.submit(() -> {
                for (int i = 0; i < 4; i++) {
                    both.switchBack(PATIENCE);
                }
                return null;
            });
            int rounds = 0;
            while (!switches.isDone() || rounds < 10) {
                bed.send(3);
                say();
                assertThat(await(progress, PATIENCE).included()).isTrue();
                assertThat(visible()).isEqualTo(bed.sent());
                rounds++;
            }
            switches.get();
            assertThat(bed.state(2)).isEqualTo("LIVE");
        }
    }
}
