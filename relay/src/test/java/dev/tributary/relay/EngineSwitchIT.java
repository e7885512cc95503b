package dev.tributary.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.relay.config.SourceConfig.Engine;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** One engine takes over from the other while services write, in the middle of large transactions too. */
@Timeout(900)
class EngineSwitchIT {
    private static final int SWITCHES = Integer.getInteger("switches", 6);
    /** So many events of one transaction that it takes long enough to be killed in the middle. */
    private static final int LARGE = 8_000;

    @Test
    void backAndForthLosesAndDoublesNothing() throws Exception {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("EngineSwitchIT -Dseed=" + seed);
        Random random = new Random(seed);
        try (SourceUnderTest source = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared())) {
            try (WritersUnderTest writers = new WritersUnderTest(source, 2)) {
                for (int i = 0; i < SWITCHES; i++) {
                    source.config = source.config.withEngine(i % 2 == 0 ? Engine.PGOUTPUT : Engine.DEBEZIUM);
                    relayForAWhile(source, random);
                }
                assertThat(writers.commits()).isPositive();
            }
            source.config = source.config.withEngine(Engine.PGOUTPUT);
            source.startRelay();
            source.topics.awaitExactly(source);
        }
    }

    private static void relayForAWhile(SourceUnderTest source, Random random) throws Exception {
        source.execute(
                "INSERT INTO tributary.outbox SELECT gen_random_uuid(), 'bulk', (i % 100)::text, NULL, 'a.v1', 'x',"
                        + " 'payload', NULL, now() FROM generate_series(1, "
                        + (source.config.engine() == Engine.DEBEZIUM ? LARGE : LARGE / 10) + ") i");
        long before = source.topics.size();
        try (JavaProcess relay = RelayProcess.start(source)) {
            await().atMost(Duration.ofSeconds(60))
                    .pollInterval(Duration.ofMillis(5))
                    .until(() -> source.topics.size() > before);
            boolean kill = random.nextInt(3) != 0;
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(kill ? 50 : 1_500)));
            if (kill) {
                relay.kill();
            } else {
                relay.terminate();
                assertThat(relay.waitFor(Duration.ofSeconds(60))).isTrue();
            }
        }
    }
}
