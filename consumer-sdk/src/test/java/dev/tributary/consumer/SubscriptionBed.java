package dev.tributary.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;

/** A view, a topic, and subscriptions that lead from the one to the other. */
final class SubscriptionBed implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(30);

    final String name = "view-" + UUID.randomUUID();
    final LocalKafka kafka;
    final ViewDatabase view;
    final TestTopic topic;
    private final List<Subscription> started = new ArrayList<>();

    SubscriptionBed() {
        this(LocalPostgres.shared(), LocalKafka.shared(), 1);
    }

    SubscriptionBed(LocalPostgres postgres, LocalKafka kafka, int partitions) {
        this.kafka = kafka;
        this.view = new ViewDatabase(postgres);
        this.topic = new TestTopic(kafka, partitions);
    }

    /** With the tests' handler. */
    Subscription.Builder accounts() {
        return bare().on(Added.TYPE, Added.class, ViewDatabase::apply);
    }

    /** Without a handler, and impatient. */
    Subscription.Builder bare() {
        return Subscription.builder(name)
                .kafka(kafkaSettings(kafka.bootstrapServers()))
                .dataSource(view.dataSource())
                .topics(topic.name())
                .timeouts(Timeouts.ofDefaults()
                        .withRetryMax(Duration.ofMillis(500))
                        .withTakeover(Duration.ofSeconds(1)));
    }

    static Map<String, Object> kafkaSettings(String bootstrapServers) {
        return Map.of(
                "bootstrap.servers", bootstrapServers,
                "session.timeout.ms", 3_000,
                "heartbeat.interval.ms", 300,
                "metadata.max.age.ms", 500);
    }

    Subscription start() {
        return start(accounts());
    }

    Subscription start(Subscription.Builder builder) {
        Subscription subscription = builder.start();
        started.add(subscription);
        return subscription;
    }

    /** The only partition, once the subscription has it. */
    static PartitionStatus partition(Subscription subscription) {
        List<PartitionStatus> partitions = subscription.status().partitions();
        assertThat(partitions).hasSize(1);
        return partitions.get(0);
    }

    static void eventually(ThrowingRunnable assertion) {
        Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofMillis(50)).untilAsserted(assertion);
    }

    void eventuallyApplied(long events) {
        eventually(() -> assertThat(view.appliedCount()).isEqualTo(events));
    }

    @Override
    public void close() {
        started.forEach(Subscription::close);
        topic.close();
        view.close();
    }
}
