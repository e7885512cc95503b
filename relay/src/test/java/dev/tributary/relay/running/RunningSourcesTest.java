package dev.tributary.relay.running;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.awaitility.Awaitility.await;

import dev.tributary.relay.SlotHealth;
import dev.tributary.relay.SourceState;
import dev.tributary.relay.SourceStatus;
import dev.tributary.relay.config.SourceConfig;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.MDC;

@Timeout(300)
class RunningSourcesTest {
    @Test
    void keepsOthersStreamingWhenOneFails() {
        Body bad = new Body(() -> {
            throw new StackOverflowError("planted");
        });
        Body good = new Body(() -> {});

        try (RunningSources running = start(Map.of("bad", bad, "good", good))) {
            await().untilAsserted(() -> assertThat(running.statuses())
                    .extracting(SourceStatus::source, SourceStatus::state)
                    .containsExactly(
                            org.assertj.core.groups.Tuple.tuple("bad", SourceState.STOPPED),
                            org.assertj.core.groups.Tuple.tuple("good", SourceState.STREAMING)));
            assertThat(running.statuses().get(0).reason()).contains("StackOverflowError: planted");
            assertThat(running.statuses().get(0).remedy()).contains("Restart the relay");
            assertThat(good.threadName).isEqualTo("relay-good");
            assertThat(good.mdc).isEqualTo("good");
        }
        assertThat(good.thread.isAlive()).isFalse();
    }

    @Test
    void doesNotBelieveASourceThatClaimsToStreamAfterItsThreadEnded() {
        Body ended = new Body(() -> {});
        ended.closed.countDown();

        try (RunningSources running = start(Map.of("ended", ended))) {
            await().until(() -> running.statuses().get(0).state() == SourceState.STOPPED);
            assertThat(running.statuses().get(0).reason()).isEqualTo("it ended without being asked to");
        }
    }

    @Test
    void givesUpOnASourceThatDoesNotEnd() {
        RunningSource stuck = new RunningSource("stuck", new Body(() -> new Stuck().await()), Clock.systemUTC());
        stuck.start();

        assertThatCode(() -> stuck.close(Duration.ofMillis(50))).doesNotThrowAnyException();
    }

    @Test
    void waitsForTheStartOfAllButNotForLong() throws InterruptedException {
        Body good = new Body(() -> {});
        Body bad = new Body(() -> {});
        bad.state = SourceState.RECOVERING;
        try (RunningSources running = start(Map.of("good", good, "bad", bad))) {
            Thread recovers = new Thread(() -> {
                await().until(() -> good.threadName != null);
                bad.state = SourceState.STREAMING;
            });
            recovers.start();
            running.awaitStart(Duration.ofSeconds(30));
            assertThat(running.statuses()).extracting(SourceStatus::state).containsOnly(SourceState.STREAMING);
            bad.state = SourceState.RECOVERING;
            running.awaitStart(Duration.ofMillis(50));
            recovers.join();
        }
    }

    private static RunningSources start(Map<String, Body> bodies) {
        List<SourceConfig> sources = Stream.of("good", "ended", "bad")
                .filter(bodies::containsKey)
                .map(name -> new SourceConfig(
                        name, "jdbc:postgresql:x", "relay", "", SourceConfig.Engine.PGOUTPUT, "${source}", 1))
                .toList();
        return RunningSources.start(sources, source -> bodies.get(source.name()), Clock.systemUTC());
    }

    private static final class Stuck {
        void await() {
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static final class Body implements SourceBody {
        private final Runnable first;
        private final CountDownLatch closed = new CountDownLatch(1);
        private volatile Thread thread;
        private volatile String threadName;
        private volatile String mdc;
        private volatile SourceState state = SourceState.STREAMING;

        Body(Runnable first) {
            this.first = first;
        }

        @Override
        public void run() {
            mdc = MDC.get("source");
            threadName = Thread.currentThread().getName();
            thread = Thread.currentThread(); // last: who sees it sees the others
            first.run();
            try {
                closed.await();
            } catch (InterruptedException e) {
                thread.interrupt();
            }
        }

        @Override
        public SourceStatus status() {
            return new SourceStatus(
                    thread == null ? "" : threadName.substring("relay-".length()),
                    state,
                    Instant.EPOCH,
                    "",
                    "",
                    true,
                    new SourceStatus.Progress(0, 0, 0, 0, 0, 0, 0, null, 0, 0, null),
                    SlotHealth.UNKNOWN);
        }

        @Override
        public void close() {
            closed.countDown();
        }
    }
}
