package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static dev.tributary.consumer.SubscriptionBed.partition;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a subscription does when Kafka does not have any more what the view wants next. */
class TopicChangesIT {
    private final SubscriptionBed bed = new SubscriptionBed();
    private final ViewDatabase view = bed.view;
    private final TestTopic topic = bed.topic;

    @AfterEach
    void close() {
        bed.close();
    }

    @Test
    void recreatedTopicStopsThePartitionUntilPeopleAcceptIt() {
        ProducerRecord<byte[], byte[]> first = topic.added("a", 1);
        ProducerRecord<byte[], byte[]> second = topic.added("a", 2);
        ProducerRecord<byte[], byte[]> third = topic.added("a", 4);
        Subscription before = bed.start();
        topic.send(first, second);
        bed.eventuallyApplied(2);
        before.close();
        recreate();
        topic.send(first, second, third);

        Subscription subscription = bed.start();
        eventually(() -> assertThat(partition(subscription).state()).isEqualTo(PartitionStatus.State.STOPPED));
        assertThat(partition(subscription).reason()).contains("recreated");
        assertThat(view.appliedCount()).isEqualTo(2);

        String remedy = partition(subscription).remedy();
        view.execute(remedy.substring(remedy.indexOf("UPDATE")));
        bed.eventuallyApplied(3);
        assertThat(view.totals()).isEqualTo(Map.of("a", 7L));
        assertThat(subscription.status().totals().duplicates()).isEqualTo(2);
    }

    @Test
    void topicRecreatedUnderARunningSubscriptionStopsThePartition() {
        Subscription subscription = bed.start();
        topic.send(topic.added("a", 1), topic.added("a", 2));
        bed.eventuallyApplied(2);
        recreate();
        topic.send(topic.added("b", 1));
        eventually(() -> assertThat(subscription.status().partitions())
                .singleElement()
                .satisfies(status -> assertThat(status.reason()).contains("recreated")));
        assertThat(view.appliedCount()).isEqualTo(2);
    }

    private void recreate() {
        topic.delete();
        eventually(topic::create);
    }

    @Test
    void deletedEventsStopThePartition() {
        Subscription before = bed.start();
        topic.send(topic.added("a", 1));
        bed.eventuallyApplied(1);
        before.close();
        topic.send(topic.added("a", 2), topic.added("a", 3));
        topic.deleteRecordsBefore(2);

        Subscription subscription = bed.start();
        eventually(() -> assertThat(partition(subscription).state()).isEqualTo(PartitionStatus.State.STOPPED));
        assertThat(partition(subscription).reason())
                .contains("events are missing")
                .contains("offset 1");
        assertThat(view.appliedCount()).isEqualTo(1);
    }

    @Test
    void positionBehindTheEndStopsThePartitionAlsoWhenTheEndHasMovedOn() {
        Subscription before = bed.start();
        topic.send(topic.added("a", 1));
        bed.eventuallyApplied(1);
        view.execute("UPDATE tributary.subscription_position SET next_offset = 4");
        topic.send(topic.added("a", 2));
        eventually(() -> assertThat(partition(before).reason()).contains("lost", "offsets 0 to 3"));
        topic.send(topic.added("a", 4), topic.added("a", 8), topic.added("a", 16));
        await().during(Duration.ofSeconds(2))
                .untilAsserted(() -> assertThat(partition(before).state()).isEqualTo(PartitionStatus.State.STOPPED));
        before.close();

        Subscription subscription = bed.start();
        eventually(() -> assertThat(partition(subscription).state()).isEqualTo(PartitionStatus.State.STOPPED));
        goBack(subscription);
        bed.eventuallyApplied(5);
        assertThat(view.totals()).isEqualTo(Map.of("a", 31L));
    }

    /** As one is that was frozen between asking Kafka where the partition ends and asking the database where the view is. */
    @Test
    void instanceThatAskedKafkaBeforeAnotherReadOnTakesNothingForLost() {
        Subscription before = bed.start();
        topic.send(topic.added("a", 1));
        bed.eventuallyApplied(1);
        before.close();
        AtomicInteger readOn = new AtomicInteger();
        DataSource late = (DataSource) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {DataSource.class}, (self, method, arguments) -> {
                    if (readOn.incrementAndGet() <= 5) {
                        topic.send(topic.added("b", 1));
                        view.execute("UPDATE tributary.subscription_position SET next_offset = next_offset + 1");
                    }
                    return method.invoke(view.dataSource(), arguments);
                });
        Subscription subscription = bed.start(bed.accounts().dataSource(late));
        eventually(() -> {
            assertThat(readOn).hasValueGreaterThan(5);
            assertThat(partition(subscription).state()).isEqualTo(PartitionStatus.State.RUNNING);
        });
        topic.send(topic.added("c", 1));
        bed.eventuallyApplied(2);
    }

    private void goBack(Subscription subscription) {
        String remedy = partition(subscription).remedy();
        view.execute(remedy.substring(remedy.indexOf("UPDATE")));
    }

    @Test
    void topicThatComesLaterIsWaitedFor() {
        topic.delete();
        Subscription subscription = bed.start();
        eventually(() -> assertThat(subscription.status())
                .returns(SubscriptionStatus.State.WAITING, SubscriptionStatus::state)
                .satisfies(status -> assertThat(status.reason()).contains(topic.name())));
        eventually(topic::create);
        topic.send(topic.added("a", 1));
        bed.eventuallyApplied(1);
        eventually(() -> assertThat(subscription.status())
                .returns(SubscriptionStatus.State.RUNNING, SubscriptionStatus::state)
                .returns(List.of(), status -> status.reason().isEmpty() ? List.of() : List.of(status.reason())));
    }
}
