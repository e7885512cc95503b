package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static dev.tributary.consumer.SubscriptionBed.partition;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What must not end a subscription's threads, or blame an event. */
class SturdinessIT {
    private final SubscriptionBed bed = new SubscriptionBed();
    private final ViewDatabase view = bed.view;
    private final TestTopic topic = bed.topic;

    @AfterEach
    void close() {
        bed.close();
    }

    /** Fails as a class does whose native library is missing, within poll. */
    public static final class FailingAssignor extends RangeAssignor {
        static final AtomicBoolean FAILS = new AtomicBoolean();

        @Override
        public void onAssignment(Assignment assignment, ConsumerGroupMetadata metadata) {
            if (FAILS.get()) {
                throw new NoClassDefFoundError("codec");
            }
        }
    }

    @Test
    void errorInThePollIsToldAndTriedAgain() {
        FailingAssignor.FAILS.set(true);
        Map<String, Object> kafka = new HashMap<>(SubscriptionBed.kafkaSettings(bed.kafka.bootstrapServers()));
        kafka.put("partition.assignment.strategy", FailingAssignor.class.getName());
        topic.send(topic.added("a", 1));
        Subscription subscription = bed.start(bed.accounts().kafka(kafka));
        eventually(() -> assertThat(subscription.status())
                .returns(SubscriptionStatus.State.WAITING, SubscriptionStatus::state)
                .satisfies(status -> assertThat(status.reason()).contains("NoClassDefFoundError: codec")));
        FailingAssignor.FAILS.set(false);
        bed.eventuallyApplied(1);
        eventually(() -> assertThat(subscription.status().healthy()).isTrue());
    }

    @Test
    void errorAndExceptionOfTheDataSourceAreToldAndTriedAgain() {
        FailingDataSource database = new FailingDataSource(view.dataSource());
        Subscription subscription = bed.start(bed.accounts().dataSource(database.dataSource()));
        topic.send(topic.added("a", 1));
        bed.eventuallyApplied(1);
        for (Throwable failure :
                List.of(new IllegalStateException("no route to a pool"), new NoClassDefFoundError("driver"))) {
            long before = view.appliedCount();
            database.failsWith(failure);
            topic.send(topic.added("a", 1));
            eventually(() -> assertThat(partition(subscription))
                    .returns(PartitionStatus.State.STOPPED, PartitionStatus::state)
                    .satisfies(status -> assertThat(status.reason()).contains(failure.getMessage())));
            database.works();
            bed.eventuallyApplied(before + 1);
            eventually(() -> assertThat(partition(subscription).state()).isEqualTo(PartitionStatus.State.RUNNING));
        }
    }

    @Test
    void lockedTableIsWaitedForWithoutLeavingSessionsBehind() throws SQLException {
        try (Connection holder = view.dataSource().getConnection()) {
            holder.setAutoCommit(false);
            try (Statement lock = holder.createStatement()) {
                lock.execute("LOCK TABLE total IN ACCESS EXCLUSIVE MODE");
            }
            Subscription subscription = bed.start(bed.accounts()
                    .timeouts(Timeouts.ofDefaults()
                            .withDatabase(Duration.ofSeconds(1))
                            .withRetryMax(Duration.ofMillis(100))));
            topic.send(topic.added("a", 1));
            eventually(() ->
                    assertThat(partition(subscription).counters().retries()).isGreaterThan(4));
            assertThat(view.number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                            + " AND wait_event_type = 'Lock'"))
                    .isLessThanOrEqualTo(1);
            assertThat(partition(subscription).counters().parked()).isZero();
        }
        bed.eventuallyApplied(1);
    }

    @Test
    void handlerThatLeavesItsThreadInterruptedDoesNotEndThePartition() {
        Subscription subscription = bed.start(bed.bare().on(Added.TYPE, Added.class, (event, connection) -> {
            ViewDatabase.apply(event, connection);
            Thread.currentThread().interrupt();
        }));
        topic.send(topic.added("a", 1));
        bed.eventuallyApplied(1);
        topic.send(topic.added("a", 2));
        bed.eventuallyApplied(2);
        eventually(() -> assertThat(partition(subscription).state()).isEqualTo(PartitionStatus.State.RUNNING));
        assertThat(view.totals()).isEqualTo(Map.of("a", 3L));
    }

    @Test
    void handlerThatChangesItsPayloadGetsItAsItWasWhenItIsTriedAgain() {
        List<Integer> amounts = new CopyOnWriteArrayList<>();
        bed.start(bed.bare().on(Added.TYPE, ObjectNode.class, (event, connection) -> {
            amounts.add(event.payload().get("amount").asInt());
            event.payload().put("amount", 1_000);
            if (amounts.size() < 3) {
                throw new SQLTransientException("try again");
            }
        }));
        topic.send(topic.added("a", 1));
        eventually(() -> assertThat(amounts).containsExactly(1, 1, 1));
    }

    @Test
    void databaseThatRefusesThePositionIsTriedAgainAndBlamesNoEvent() {
        Subscription subscription = bed.start();
        topic.send(topic.added("a", 1));
        bed.eventuallyApplied(1);
        view.execute("ALTER TABLE tributary.subscription_position RENAME TO away");
        topic.send(topic.added("a", 2));
        eventually(() -> assertThat(partition(subscription))
                .returns(PartitionStatus.State.RETRYING, PartitionStatus::state)
                .satisfies(status -> assertThat(status.counters().retries()).isGreaterThan(3)));
        view.execute("ALTER TABLE tributary.away RENAME TO subscription_position");
        bed.eventuallyApplied(2);
        assertThat(subscription.status().totals().parked()).isZero();
    }

    @Test
    void refusedEventStaysStoppedWithItsRemedyAfterADatabaseOutage() {
        Subscription subscription =
                bed.start(bed.accounts().onUnknownType(UnknownType.REFUSE).onSequenceGap(SequenceGap.IGNORE));
        topic.send(topic.added("a", 1), topic.event("sales", "a", "odd.v1", "{}"), topic.added("a", 2));
        eventually(() -> assertThat(partition(subscription).state()).isEqualTo(PartitionStatus.State.STOPPED));
        view.execute("ALTER TABLE tributary.subscription_position RENAME TO away");
        eventually(() -> assertThat(partition(subscription).state()).isEqualTo(PartitionStatus.State.RETRYING));
        view.execute("ALTER TABLE tributary.away RENAME TO subscription_position");
        eventually(() -> assertThat(partition(subscription)).satisfies(status -> {
            assertThat(status.state()).isEqualTo(PartitionStatus.State.STOPPED);
            assertThat(status.reason()).contains("odd.v1");
            assertThat(status.remedy()).contains("UPDATE");
        }));
        assertThat(view.appliedCount()).isEqualTo(1);
        String remedy = partition(subscription).remedy();
        view.execute(remedy.substring(remedy.indexOf("UPDATE")));
        bed.eventuallyApplied(2);
    }

    @Test
    void eventRefusedBehindAGapInTheOffsetsStaysStopped() {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers",
                bed.kafka.bootstrapServers(),
                "transactional.id",
                UUID.randomUUID().toString());
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.initTransactions();
            // A transaction's end takes an offset too
            for (var record : List.of(topic.added("a", 1), topic.event("sales", "a", "odd.v1", "{}"))) {
                producer.beginTransaction();
                var unused = producer.send(record);
                producer.commitTransaction();
            }
        }
        Subscription subscription = bed.start(bed.accounts().onUnknownType(UnknownType.REFUSE));
        eventually(() -> assertThat(partition(subscription).state()).isEqualTo(PartitionStatus.State.STOPPED));
        assertThat(partition(subscription))
                .returns(1L, PartitionStatus::nextOffset)
                .satisfies(status -> assertThat(status.reason()).contains("offset 2"));
        Instant since = partition(subscription).since();
        await().during(Duration.ofSeconds(2))
                .untilAsserted(() -> assertThat(partition(subscription).since()).isEqualTo(since));
    }
}
