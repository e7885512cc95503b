package dev.tributary.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.sink.Kafka;
import dev.tributary.relay.sink.KafkaClients;
import dev.tributary.relay.sink.Topics;
import java.lang.reflect.Proxy;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricsReporter;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The relay's surroundings go away and come back while services write. Afterwards: nothing lost, doubled, reordered. */
@Timeout(600)
class RelayFaultsIT {
    private static final int DELIVERY_TIMEOUT_MS = 4_000;

    private static LocalPostgres postgres;
    private static LocalKafka kafka;
    private SourceUnderTest source;

    @BeforeAll
    static void startOwn() {
        postgres = LocalPostgres.startOwn();
        kafka = LocalKafka.startOwn();
    }

    @AfterAll
    static void closeOwn() {
        kafka.close();
        postgres.close();
    }

    @BeforeEach
    void open() throws SQLException {
        source = new SourceUnderTest(postgres, kafka);
    }

    /** So that the relay gives Kafka up soon; a loaded machine may make it do so without a cause. */
    private void giveKafkaUpSoon() {
        source.kafkaProperties.put("delivery.timeout.ms", DELIVERY_TIMEOUT_MS);
        source.kafkaProperties.put("request.timeout.ms", DELIVERY_TIMEOUT_MS / 2);
    }

    @AfterEach
    void close() throws SQLException {
        kafka.start();
        postgres.start();
        source.close();
    }

    @Test
    void brokerIsStoppedForLongerThanTheDeliveryTimeout() throws Exception {
        giveKafkaUpSoon();
        Relay relay = source.startRelay();
        try (WritersUnderTest writers = new WritersUnderTest(source, 4)) {
            awaitCommits(writers, 200);
            kafka.stop();
            await().until(() -> relay.status().state() == SourceState.RECOVERING);
            awaitReason(relay, "Kafka");
            awaitCommits(writers, 200);
            kafka.start();
            await().until(() -> relay.status().state() == SourceState.STREAMING);
            awaitCommits(writers, 200);
        }
        source.topics.awaitExactly(source);
    }

    @Test
    void kafkaClientThatSaysNothingAnyMoreIsReplaced() throws Exception {
        giveKafkaUpSoon();
        source.kafkaProperties.put("interceptor.classes", DeadlyInterceptor.class.getName());
        Relay relay = source.startRelay();
        source.execute("SELECT tributary.publish('order', '1', 'a.v1', '{}')");
        source.topics.awaitExactly(source);
        DeadlyInterceptor.DUE.set(source.config.name() + ".order");
        source.execute("SELECT tributary.publish('order', '1', 'a.v1', '{}')");
        await().until(() -> relay.status().progress().retries() > 0);
        source.execute("SELECT tributary.publish('order', '1', 'a.v1', '{}')");
        source.topics.awaitExactly(source);
        assertThat(DeadlyInterceptor.DUE).hasNullValue();
    }

    /** Ends an administrator's thread. */
    public static final class DeadlyReporter implements MetricsReporter {
        static final AtomicBoolean DUE = new AtomicBoolean();

        @Override
        public void metricChange(KafkaMetric metric) {
            if (Thread.currentThread().getName().startsWith("kafka-admin-client-thread") && DUE.getAndSet(false)) {
                throw new NoClassDefFoundError("simulated");
            }
        }

        @Override
        public void init(List<KafkaMetric> metrics) {}

        @Override
        public void metricRemoval(KafkaMetric metric) {}

        @Override
        public void close() {}

        @Override
        public void configure(Map<String, ?> settings) {}
    }

    @Test
    void administratorWhoseThreadHasEndedIsReplacedForAllSources() {
        source.kafkaProperties.put("metric.reporters", DeadlyReporter.class.getName());
        Kafka shared = new KafkaClients(source.kafkaProperties);
        try (Topics topics = shared.topics("one");
                Topics others = shared.topics("other")) {
            DeadlyReporter.DUE.set(true);
            assertThatThrownBy(() -> topics.existing(name -> true)).isExactlyInstanceOf(RelayException.class);
            assertThat(DeadlyReporter.DUE).isFalse();
            topics.ensure(source.config.name() + ".order");
            assertThat(others.existing(name -> true)).contains(source.config.name() + ".order");
        }
    }

    @Test
    void errorLeavesTheSlotToOthers() throws Exception {
        Kafka real = new KafkaClients(source.kafkaProperties);
        Kafka failing = (Kafka) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Kafka.class}, (self, method, arguments) -> {
                    if (method.getName().equals("producer")) {
                        throw new NoClassDefFoundError("simulated");
                    }
                    return method.invoke(real, arguments);
                });
        Relay relay = new Relay(source.config, new RealSurroundings(source.config, failing), Clock.systemUTC());
        assertThatThrownBy(relay::run).isInstanceOf(NoClassDefFoundError.class);
        source.execute("SELECT tributary.publish('order', '1', 'a.v1', '{}')");
        source.startRelay();
        source.topics.awaitExactly(source);
    }

    @Test
    void brokerIsKilledTimeAndAgain() throws Exception {
        giveKafkaUpSoon();
        source.startRelay();
        try (WritersUnderTest writers = new WritersUnderTest(source, 4)) {
            for (int i = 0; i < 3; i++) {
                awaitCommits(writers, 300);
                kafka.kill();
                awaitCommits(writers, 100);
                kafka.start();
            }
            awaitCommits(writers, 100);
        }
        source.topics.awaitExactly(source);
    }

    @Test
    void brokerFreezesForLongerThanTheDeliveryTimeout() throws Exception {
        giveKafkaUpSoon();
        Relay relay = source.startRelay();
        try (WritersUnderTest writers = new WritersUnderTest(source, 4)) {
            awaitCommits(writers, 200);
            kafka.pause();
            await().until(() -> relay.status().state() == SourceState.RECOVERING);
            kafka.resume();
            await().until(() -> relay.status().state() == SourceState.STREAMING);
            awaitCommits(writers, 200);
        }
        source.topics.awaitExactly(source);
    }

    @Test
    void databaseIsRestartedAndKilled() throws Exception {
        Relay relay = source.startRelay();
        try (WritersUnderTest writers = new WritersUnderTest(source, 4)) {
            awaitCommits(writers, 200);
            postgres.restart();
            awaitCommits(writers, 200);
            postgres.kill();
            await().until(() -> relay.status().state() == SourceState.RECOVERING);
            awaitReason(relay, "database");
            postgres.start();
            awaitCommits(writers, 200);
        }
        source.topics.awaitExactly(source);
        await().until(() -> relay.status().state() == SourceState.STREAMING);
    }

    @Test
    void databaseFreezes() throws Exception {
        Relay relay = source.startRelay();
        try (WritersUnderTest writers = new WritersUnderTest(source, 4)) {
            awaitCommits(writers, 200);
            postgres.pause();
            await().until(() -> relay.status().state() == SourceState.RECOVERING);
            awaitReason(relay, "database");
            postgres.resume();
            awaitCommits(writers, 200);
        }
        source.topics.awaitExactly(source);
        await().until(() -> relay.status().state() == SourceState.STREAMING);
    }

    @Test
    void theRelayIsStartedBeforeKafkaAndTheDatabase() throws Exception {
        source.execute("SELECT tributary.publish('order', '1', 'a.v1', '{}')");
        kafka.stop();
        postgres.stop();
        Relay relay = source.startRelay();
        awaitReason(relay, "database");
        postgres.start();
        awaitReason(relay, "Kafka");
        kafka.start();
        source.topics.awaitExactly(source);
    }

    @Test
    void aFailingSourceDoesNotDisturbTheOthers() throws Exception {
        try (LocalPostgres othersPostgres = LocalPostgres.startOwn();
                SourceUnderTest other = new SourceUnderTest(othersPostgres, kafka)) {
            Relay failing = other.startRelay();
            Relay relay = source.startRelay();
            await().until(() -> failing.status().state() == SourceState.STREAMING);
            othersPostgres.stop();
            await().until(() -> failing.status().state() == SourceState.RECOVERING);
            try (WritersUnderTest writers = new WritersUnderTest(source, 2)) {
                awaitCommits(writers, 200);
            }
            source.topics.awaitExactly(source);
            assertThat(relay.status().progress().retries()).isZero();
            othersPostgres.start();
            await().until(() -> failing.status().state() == SourceState.STREAMING);
        }
    }

    private static void awaitReason(Relay relay, String about) {
        await().untilAsserted(() -> {
            assertThat(relay.status().state()).isEqualTo(SourceState.RECOVERING);
            assertThat(relay.status().reason()).containsIgnoringCase(about);
            assertThat(relay.status().remedy()).isNotEmpty();
        });
    }

    private static void awaitCommits(WritersUnderTest writers, long more) {
        long goal = writers.commits() + more;
        await().atMost(Duration.ofSeconds(60)).until(() -> writers.commits() >= goal);
    }
}
