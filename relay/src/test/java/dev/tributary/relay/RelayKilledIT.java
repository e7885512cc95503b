package dev.tributary.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.nio.file.Path;
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
import org.junit.jupiter.api.io.TempDir;

/** SIGKILL at random moments under load: at start, while reading tails, in mid-stream. */
@Timeout(1200)
class RelayKilledIT {
    private static final int KILLS = 100;
    /** At the same time, each of a relay with a source of its own: half of a start is waiting. */
    private static final int LANES = 2;

    @TempDir
    private Path directory;

    @Test
    void aHundredKillsLoseDoubleAndReorderNothing() throws Exception {
        long seed = System.nanoTime();
        System.out.println("RelayKilledIT seed " + seed);
        ExecutorService lanes = Executors.newFixedThreadPool(LANES);
        try {
            List<Future<?>> running = new ArrayList<>();
            PreloadedRelay relays = makeRelays();
            for (int lane = 0; lane < LANES; lane++) {
                Random random = new Random(seed + lane);
                running.add(lanes.submit(() -> killTimeAndAgain(relays, random)));
            }
            for (Future<?> lane : running) {
                lane.get();
            }
        } finally {
            lanes.shutdownNow();
        }
    }

    private PreloadedRelay makeRelays() throws Exception {
        try (SourceUnderTest source = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared())) {
            return PreloadedRelay.make(directory, source);
        }
    }

    private static Void killTimeAndAgain(PreloadedRelay relays, Random random) throws Exception {
        try (SourceUnderTest source = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared())) {
            try (WritersUnderTest writers = new WritersUnderTest(source, 1)) {
                for (int i = 0; i < KILLS / LANES; i++) {
                    startAndKill(relays, source, random);
                }
                assertThat(writers.commits()).isPositive();
            }
            source.startRelay();
            source.topics.awaitExactly(source);
        }
        return null;
    }

    private static void startAndKill(PreloadedRelay relays, SourceUnderTest source, Random random)
            throws InterruptedException {
        CountDownLatch streams = new CountDownLatch(1);
        try (JavaProcess relay = relays.start(source, streams)) {
            boolean whileItStarts = random.nextInt(4) == 0;
            assertThat(whileItStarts || streams.await(120, TimeUnit.SECONDS)).isTrue();
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
                await().until(() -> next.status().state() == SourceState.STREAMING);
                long before = next.status().progress().events();
                await().until(() -> next.status().progress().events() > before + 200);
                frozen.resume();
                await().until(() -> next.status().progress().events() > before + 1_000);
                await().until(() -> next.status().state() == SourceState.STREAMING);
                assertThat(writers.commits()).isPositive();
            }
            source.topics.awaitExactlyButForRepeats(source);
        }
    }
}
