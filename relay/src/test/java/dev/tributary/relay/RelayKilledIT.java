package dev.tributary.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** SIGKILL at random moments under load: at start, while reading tails, in mid-stream. */
@Timeout(600)
class RelayKilledIT {
    private static final int KILLS = 100;
    /** At the same time, each of a relay with a source of its own: half of a start is waiting. */
    private static final int LANES = 2;

    @Test
    void aHundredKillsLoseDoubleAndReorderNothing() throws Exception {
        long seed = System.nanoTime();
        System.out.println("RelayKilledIT seed " + seed);
        ExecutorService lanes = Executors.newFixedThreadPool(LANES);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int lane = 0; lane < LANES; lane++) {
                Random random = new Random(seed + lane);
                running.add(lanes.submit(() -> killTimeAndAgain(random)));
            }
            for (Future<?> lane : running) {
                lane.get();
            }
        } finally {
            lanes.shutdownNow();
        }
    }

    private static Void killTimeAndAgain(Random random) throws Exception {
        try (SourceUnderTest source = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared())) {
            try (WritersUnderTest writers = new WritersUnderTest(source, 1)) {
                for (int i = 0; i < KILLS / LANES; i++) {
                    startAndKill(source, random);
                }
                assertThat(writers.commits()).isPositive();
            }
            source.startRelay();
            source.topics.awaitExactly(source);
        }
        return null;
    }

    private static void startAndKill(SourceUnderTest source, Random random) throws InterruptedException {
        CountDownLatch streams = new CountDownLatch(1);
        try (JavaProcess relay = RelayProcess.start(source, streams)) {
            boolean whileItStarts = random.nextInt(4) == 0;
            assertThat(whileItStarts || streams.await(60, TimeUnit.SECONDS)).isTrue();
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(whileItStarts ? 1_500 : 500)));
            relay.kill();
        }
    }

    @Test
    void aFrozenRelayIsReplacedAndDoesNoHarmWhenItWakes() throws Exception {
        try (SourceUnderTest source = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared());
                JavaProcess frozen = RelayProcess.start(source)) {
            try (WritersUnderTest writers = new WritersUnderTest(source, 2)) {
                await().atMost(Duration.ofSeconds(60)).until(() -> source.topics.size() > 200);
                frozen.pause();
                Relay next = source.startRelay();
                await().atMost(Duration.ofSeconds(10)).until(() -> next.status().state() == SourceState.STREAMING);
                long before = next.status().progress().events();
                await().until(() -> next.status().progress().events() > before + 200);
                frozen.resume();
                await().until(() -> next.status().progress().events() > before + 1_000);
                assertThat(next.status().state()).isEqualTo(SourceState.STREAMING);
                assertThat(writers.commits()).isPositive();
            }
            source.topics.awaitExactlyButForRepeats(source);
        }
    }
}
