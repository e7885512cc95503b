package dev.tributary.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;

/** A view, a topic, and subscriptions that lead from the one to the other. */
public final class SubscriptionBed implements AutoCloseable {
    /** For a loaded machine. */
    public static final Duration PATIENCE = Duration.ofSeconds(90);

    public final String name = "view-" + UUID.randomUUID();
    public final LocalKafka kafka;
    public final ViewDatabase view;
    public final TestTopic topic;
    private final List<Subscription> started = new ArrayList<>();

    public SubscriptionBed() {
        this(LocalPostgres.shared(), LocalKafka.shared(), 1);
    }

    public SubscriptionBed(LocalPostgres postgres, LocalKafka kafka, int partitions) {
        this(new ViewDatabase(postgres), kafka, partitions);
    }

    /** Closes the view with itself. */
    public SubscriptionBed(ViewDatabase view, LocalKafka kafka, int partitions) {
        this.kafka = kafka;
        this.view = view;
        this.topic = new TestTopic(kafka, partitions);
    }

    /** With the tests' handler. */
    public Subscription.Builder accounts() {
        return bare().on(Added.TYPE, Added.class, ViewDatabase::apply);
    }

    /** Without a handler, and impatient. */
    public Subscription.Builder bare() {
        return bare(name);
    }

    /** The same under a name of its own. */
    public Subscription.Builder bare(String subscription) {
        return Subscription.builder(subscription)
                .kafka(kafkaSettings(kafka.bootstrapServers()))
                .dataSource(view.dataSource())
                .topics(topic.name())
                .timeouts(Timeouts.ofDefaults()
                        .withRetryMax(Duration.ofMillis(500))
                        .withTakeover(Duration.ofSeconds(1)));
    }

    public static Map<String, Object> kafkaSettings(String bootstrapServers) {
        return Map.of(
                "bootstrap.servers", bootstrapServers,
                "session.timeout.ms", 3_000,
                "heartbeat.interval.ms", 300,
                "metadata.max.age.ms", 500);
    }

    public Subscription start() {
        return start(accounts());
    }

    public Subscription start(Subscription.Builder builder) {
        Subscription subscription = builder.start();
        started.add(subscription);
        return subscription;
    }

    /** The only partition, once the subscription has it. */
    public static PartitionStatus partition(Subscription subscription) {
        List<PartitionStatus> partitions = subscription.status().partitions();
        assertThat(partitions).hasSize(1);
        return partitions.get(0);
    }

    public static void eventually(ThrowingRunnable assertion) {
        Awaitility.await()
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(50))
                // What asks the database through the subscription's pool may meet a connection that has just been ended
                .ignoreExceptionsInstanceOf(SQLException.class)
                .untilAsserted(assertion);
    }

    public void eventuallyApplied(long events) {
        eventually(() -> assertThat(view.appliedCount()).isEqualTo(events));
    }

    @Override
    public void close() {
        started.forEach(Subscription::close);
        topic.close();
        view.close();
    }
}
