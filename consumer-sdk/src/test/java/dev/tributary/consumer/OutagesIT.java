package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static dev.tributary.consumer.SubscriptionBed.partition;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Kafka and the view's database go away and come back; nobody touches the subscription. */
class OutagesIT {
    private static LocalPostgres postgres;
    private static LocalKafka kafka;

    private SubscriptionBed bed;

    @BeforeAll
    static void startOwn() {
        postgres = LocalPostgres.startOwn();
        kafka = LocalKafka.startOwn();
    }

    @AfterAll
    static void closeOwn() {
        postgres.close();
        kafka.close();
    }

    @BeforeEach
    void setUp() {
        bed = new SubscriptionBed(postgres, kafka, 1);
    }

    @AfterEach
    void close() {
        bed.close();
    }

    private void send(int events) {
        for (int i = 0; i < events; i++) {
            bed.topic.enqueue(bed.topic.added("a" + i % 5, 1));
        }
        bed.topic.flush();
    }

    private void assertNothingDoubled(int events) {
        bed.eventuallyApplied(events);
        assertThat(bed.view.appliedIds()).doesNotHaveDuplicates();
        assertThat(bed.view.number("SELECT sum(total) FROM total")).isEqualTo(events);
        assertThat(bed.view.number("SELECT count(*) FROM tributary.parked_event"))
                .isZero();
    }

    @Test
    void databaseRestartedUnderLoad() {
        Subscription subscription =
                bed.start(bed.accounts().limits(Limits.ofDefaults().withBatchEventsMax(20)));
        send(3_000);
        eventually(() -> assertThat(bed.view.appliedCount()).isPositive());
        postgres.kill();
        send(500);
        eventually(() -> assertThat(partition(subscription).state()).isEqualTo(PartitionStatus.State.RETRYING));
        postgres.start();
        assertNothingDoubled(3_500);
        eventually(() -> assertThat(subscription.status().healthy()).isTrue());
    }

    @Test
    void frozenDatabaseIsGivenUpAndTriedAgain() {
        Subscription subscription = bed.start(bed.accounts()
                .timeouts(Timeouts.ofDefaults()
                        .withDatabase(Duration.ofSeconds(1))
                        .withRetryMax(Duration.ofMillis(500))));
        send(10);
        bed.eventuallyApplied(10);
        postgres.pause();
        try {
            send(10);
            eventually(() -> assertThat(partition(subscription).state()).isEqualTo(PartitionStatus.State.RETRYING));
        } finally {
            postgres.resume();
        }
        assertNothingDoubled(20);
    }

    @Test
    void brokerKilledAndStartedAgain() {
        Subscription subscription = bed.start();
        send(500);
        bed.eventuallyApplied(500);
        kafka.kill();
        eventually(() -> assertThat(subscription.status())
                .returns(SubscriptionStatus.State.WAITING, SubscriptionStatus::state)
                .satisfies(status -> assertThat(status.reason()).contains("cannot reach Kafka")));
        kafka.start();
        send(500);
        assertNothingDoubled(1_000);
        eventually(() -> assertThat(subscription.status().state()).isEqualTo(SubscriptionStatus.State.RUNNING));
    }

    @Test
    void startedBeforeKafkaAndTheDatabase() {
        send(10);
        kafka.stop();
        postgres.stop();
        Subscription subscription = bed.start();
        eventually(() -> assertThat(subscription.status().state()).isEqualTo(SubscriptionStatus.State.WAITING));
        kafka.start();
        eventually(() -> assertThat(partition(subscription))
                .returns(PartitionStatus.State.RETRYING, PartitionStatus::state)
                .satisfies(status -> assertThat(status.reason()).contains("view's database")));
        postgres.start();
        assertNothingDoubled(10);
    }

    @Test
    void closesPromptlyWhileEverythingIsAway() {
        Subscription subscription = bed.start();
        send(10);
        bed.eventuallyApplied(10);
        kafka.kill();
        postgres.kill();
        long before = System.nanoTime();
        subscription.close();
        Duration took = Duration.ofNanos(System.nanoTime() - before);
        postgres.start();
        kafka.start();
        assertThat(took).isLessThan(Duration.ofSeconds(20)); // Kafka's client alone would take 30 s
    }
}
