package dev.tributary.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** SIGKILL at random moments under load: at start, while reading tails, in mid-stream. */
@Timeout(300)
class RelayKilledIT {
    private static final int KILLS = 20;

    @Test
    void twentyKillsLoseDoubleAndReorderNothing() throws Exception {
        long seed = System.nanoTime();
        System.out.println("RelayKilledIT seed " + seed);
        Random random = new Random(seed);
        try (SourceUnderTest source = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared())) {
            try (WritersUnderTest writers = new WritersUnderTest(source, 2)) {
                for (int i = 0; i < KILLS; i++) {
                    long before = source.topics.size();
                    try (JavaProcess relay = RelayProcess.start(source)) {
                        if (random.nextInt(4) != 0) { // the others are killed while they start
                            await().atMost(Duration.ofSeconds(60)).until(() -> source.topics.size() > before);
                        }
                        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(1_500)));
                        relay.kill();
                    }
                }
                assertThat(writers.commits()).isPositive();
            }
            source.startRelay();
            source.topics.awaitExactly(source);
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
