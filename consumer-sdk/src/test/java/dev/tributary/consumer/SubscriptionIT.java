package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static dev.tributary.consumer.SubscriptionBed.partition;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.outbox.wire.WireHeaders;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SubscriptionIT {
    private final SubscriptionBed bed = new SubscriptionBed();
    private final ViewDatabase view = bed.view;
    private final TestTopic topic = bed.topic;

    @AfterEach
    void close() {
        bed.close();
    }

    @Test
    void eventsChangeTheViewInOrder() {
        bed.start();
        topic.send(topic.added("a", 1), topic.added("b", 10), topic.added("a", 2));
        bed.eventuallyApplied(3);
        assertThat(view.totals()).isEqualTo(Map.of("a", 3L, "b", 10L));
        assertThat(view.sequences()).isEqualTo(Map.of("a", List.of(1L, 2L), "b", List.of(1L)));
    }

    @Test
    void eventTwiceInTheTopicIsAppliedOnce() {
        Subscription subscription = bed.start();
        ProducerRecord<byte[], byte[]> first = topic.added("a", 1);
        ProducerRecord<byte[], byte[]> second = topic.added("a", 2);
        topic.send(first, first, second);
        topic.send(first, second, topic.added("a", 4));
        eventually(() -> assertThat(subscription.status().totals())
                .returns(3L, SubscriptionStatus.Counters::applied)
                .returns(3L, SubscriptionStatus.Counters::duplicates));
        assertThat(view.totals()).isEqualTo(Map.of("a", 7L));
    }

    @Test
    void replayFromZeroHasNoEffect() {
        Subscription subscription = bed.start();
        for (int i = 0; i < 100; i++) {
            topic.enqueue(topic.added("a" + i % 7, i));
        }
        bed.eventuallyApplied(100);
        Map<String, Long> before = view.totals();
        view.execute("UPDATE tributary.subscription_position SET next_offset = 0");
        topic.send(topic.added("new", 1));
        eventually(() -> assertThat(subscription.status().totals().duplicates()).isEqualTo(100));
        bed.eventuallyApplied(101);
        view.execute("DELETE FROM total WHERE aggregate_id = 'new'");
        assertThat(view.totals()).isEqualTo(before);
    }

    @Test
    void restartGoesOnWhereItWas() {
        Subscription first = bed.start();
        topic.send(topic.added("a", 1));
        bed.eventuallyApplied(1);
        first.close();
        topic.send(topic.added("a", 2));
        Subscription second = bed.start();
        bed.eventuallyApplied(2);
        assertThat(second.status().totals()).returns(0L, SubscriptionStatus.Counters::duplicates);
        assertThat(first.status().state()).isEqualTo(SubscriptionStatus.State.CLOSED);
    }

    @Test
    void kafkasCommittedOffsetsAreWrittenAndNeverRead() throws Exception {
        Subscription subscription = bed.start();
        topic.send(topic.added("a", 1), topic.added("a", 2));
        bed.eventuallyApplied(2);
        try (var admin = Admin.create(Map.of("bootstrap.servers", bed.kafka.bootstrapServers()))) {
            eventually(() -> assertThat(admin.listConsumerGroupOffsets(bed.name)
                            .partitionsToOffsetAndMetadata()
                            .get()
                            .get(topic.partition()))
                    .isNotNull()
                    .returns(2L, offset -> offset.offset()));
            int sent = 2;
            for (long offset : new long[] {0, 3, 4_711}) {
                subscription.close();
                onceTheGroupIsEmpty(() -> admin.alterConsumerGroupOffsets(
                                bed.name, Map.of(topic.partition(), new OffsetAndMetadata(offset)))
                        .all()
                        .get());
                topic.send(topic.added("a", 1));
                subscription = bed.start();
                bed.eventuallyApplied(++sent);
            }
            subscription.close();
            onceTheGroupIsEmpty(
                    () -> admin.deleteConsumerGroups(List.of(bed.name)).all().get());
            topic.send(topic.added("a", 1));
            subscription = bed.start();
            bed.eventuallyApplied(6);
            assertThat(subscription.status().totals().duplicates()).isZero();
            assertThat(view.sequences()).isEqualTo(Map.of("a", List.of(1L, 2L, 3L, 4L, 5L, 6L)));
        }
        subscription.close();
        view.execute("DELETE FROM tributary.subscription_position", "TRUNCATE total", "TRUNCATE applied");
        bed.start();
        bed.eventuallyApplied(6);
    }

    /** A member that did not say goodbye in time counts as one until its session ends. */
    private static void onceTheGroupIsEmpty(Callable<?> request) {
        await().ignoreExceptionsInstanceOf(ExecutionException.class).until(() -> {
            request.call();
            return true;
        });
    }

    /** As docs/reading-events.md says it. */
    @Test
    void viewIsBegunAnewUnderARunningSubscription() throws SQLException {
        Subscription subscription = bed.start();
        topic.send(topic.added("a", 1), topic.event("sales", "p", Added.TYPE, "[]"), topic.added("p", 1));
        topic.send(topic.added("a", 2));
        bed.eventuallyApplied(2);
        eventually(
                () -> assertThat(subscription.parkedEvents().count().events()).isEqualTo(2));
        view.execute("BEGIN; DELETE FROM tributary.subscription_position WHERE subscription = '" + bed.name
                + "'; DELETE FROM tributary.aggregate_sequence WHERE subscription = '" + bed.name
                + "'; DELETE FROM tributary.parked_aggregate WHERE subscription = '" + bed.name
                + "'; DELETE FROM tributary.parked_event WHERE subscription = '" + bed.name
                + "'; DELETE FROM total; DELETE FROM applied; COMMIT");
        topic.send(topic.added("a", 4), topic.added("p", 1));
        bed.eventuallyApplied(3);
        eventually(
                () -> assertThat(subscription.parkedEvents().count().events()).isEqualTo(3));
        assertThat(view.sequences()).isEqualTo(Map.of("a", List.of(1L, 2L, 3L)));
        assertThat(view.totals()).isEqualTo(Map.of("a", 7L));
    }

    @Test
    void positionsOfDifferentSourcesDoNotCompare() {
        bed.start();
        ProducerRecord<byte[], byte[]> early = topic.event("shop", "s", Added.TYPE, "{\"amount\":5}");
        ProducerRecord<byte[], byte[]> late = topic.added("a", 1);
        topic.send(late, early, late, early);
        topic.send(topic.added("a", 2));
        bed.eventuallyApplied(3);
        assertThat(view.totals()).isEqualTo(Map.of("a", 3L, "s", 5L));
    }

    @Test
    void foreignEventsCountByOffsetAlone() {
        Subscription subscription = bed.start();
        ProducerRecord<byte[], byte[]> foreign = topic.foreign("billing", "f", Added.TYPE, "{\"amount\":1}");
        topic.send(foreign, foreign);
        bed.eventuallyApplied(2);
        subscription.close();
        bed.start();
        topic.send(foreign);
        bed.eventuallyApplied(3);
    }

    @Test
    void latestStartsWithWhatComesAfter() {
        topic.send(topic.added("a", 1));
        Subscription subscription = bed.start(bed.accounts().startFrom(StartFrom.LATEST));
        eventually(() -> assertThat(partition(subscription).nextOffset()).isEqualTo(1));
        topic.send(topic.added("a", 2));
        bed.eventuallyApplied(1);
        assertThat(view.totals()).isEqualTo(Map.of("a", 2L));
    }

    @Test
    void unknownTypesAreSkippedAndCounted() {
        Subscription subscription = bed.start();
        topic.send(topic.event("sales", "a", "account.closed.v9", "{}"), topic.added("a", 1));
        bed.eventuallyApplied(1);
        eventually(() -> assertThat(subscription.status().totals().skipped()).isEqualTo(1));
    }

    @Test
    void unknownTypesCanStopThePartitionUntilPeopleMoveOn() {
        Subscription subscription =
                bed.start(bed.accounts().onUnknownType(UnknownType.REFUSE).onSequenceGap(SequenceGap.IGNORE));
        topic.send(topic.added("a", 1), topic.event("sales", "a", "account.closed.v9", "{}"), topic.added("a", 2));
        eventually(() -> assertThat(partition(subscription).state()).isEqualTo(PartitionStatus.State.STOPPED));
        PartitionStatus stopped = partition(subscription);
        assertThat(stopped.reason()).contains("account.closed.v9").contains("offset 1");
        assertThat(stopped.nextOffset()).isEqualTo(1);
        assertThat(view.totals()).isEqualTo(Map.of("a", 1L));
        assertThat(subscription.status().healthy()).isFalse();

        String sql = stopped.remedy().substring(stopped.remedy().indexOf("UPDATE"));
        view.execute(sql);
        bed.eventuallyApplied(2);
        eventually(() -> assertThat(subscription.status().healthy()).isTrue());
    }

    @Test
    void garbageDoesNotStopTheRest() {
        Subscription subscription = bed.start();
        sendGarbage();
        topic.send(topic.added("a", 1));
        bed.eventuallyApplied(1);
        eventually(() -> assertThat(subscription.status().totals().garbage()).isEqualTo(6));
        assertThat(subscription.status().totals().parked()).isZero();
    }

    private void sendGarbage() {
        ProducerRecord<byte[], byte[]> notUtf8 = topic.added("g", 1);
        notUtf8.headers().remove(WireHeaders.SUBJECT).add(WireHeaders.SUBJECT, new byte[] {'a', '/', (byte) 0xFF});
        ProducerRecord<byte[], byte[]> nul = topic.added("g", 1);
        TestTopic.header(nul, WireHeaders.ID, "a\0b");
        ProducerRecord<byte[], byte[]> noPosition = topic.added("g", 1);
        TestTopic.header(noPosition, WireHeaders.POSITION, "soon");
        ProducerRecord<byte[], byte[]> noType = topic.added("g", 1);
        noType.headers().remove(WireHeaders.TYPE);
        topic.send(
                new ProducerRecord<>(topic.name(), new byte[] {1, 2, 3}),
                new ProducerRecord<>(topic.name(), null, null),
                notUtf8,
                nul,
                noPosition,
                noType);
    }

    @Test
    void garbageCanStopThePartition() {
        Subscription subscription = bed.start(bed.accounts().onGarbage(Garbage.REFUSE));
        topic.send(topic.added("a", 1), new ProducerRecord<>(topic.name(), new byte[] {1}));
        eventually(() -> assertThat(partition(subscription))
                .returns(PartitionStatus.State.STOPPED, PartitionStatus::state)
                .returns(1L, PartitionStatus::nextOffset));
        assertThat(partition(subscription).reason()).contains("no CloudEvents headers");
    }

    @Test
    void bytesAreHandedOnAsTheyAre() {
        LinkedBlockingQueue<Event<byte[]>> events = new LinkedBlockingQueue<>();
        bed.start(bed.bare().on(Added.TYPE, byte[].class, (event, connection) -> events.add(event)));
        ProducerRecord<byte[], byte[]> sent = topic.event("sales", "a/b", Added.TYPE, "any bytes");
        topic.send(sent);
        eventually(() -> assertThat(events).hasSize(1));
        Event<byte[]> event = events.element();
        assertThat(new String(event.payload(), StandardCharsets.UTF_8)).isEqualTo("any bytes");
        assertThat(event.id()).isEqualTo(TestTopic.id(sent));
        assertThat(event.source()).isEqualTo("sales");
        assertThat(event.aggregateType()).isEqualTo("account");
        assertThat(event.aggregateId()).isEqualTo("a/b");
        assertThat(event.sequence()).isEqualTo(1);
        assertThat(event.headers()).isEqualTo(Map.of("tenant", "acme", "content-type", "application/json"));
    }

    @Test
    void manyEventsShareATransaction() {
        for (int i = 0; i < 1_000; i++) {
            topic.enqueue(topic.added("a" + i % 10, 1));
        }
        topic.flush();
        Subscription subscription = bed.start();
        bed.eventuallyApplied(1_000);
        eventually(() -> assertThat(subscription.status().totals().batches()).isBetween(1L, 50L));
        eventually(() -> assertThat(partition(subscription).lag()).isZero());
    }

    @Test
    void slowHandlerKeepsItsPartition() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        Subscription subscription = bed.start(bed.bare()
                .kafka(withShortPollInterval())
                .limits(Limits.ofDefaults().withBufferEventsMax(1).withBatchEventsMax(1))
                .on(Added.TYPE, Added.class, (event, connection) -> {
                    try (PreparedStatement sleep = connection.prepareStatement("SELECT pg_sleep(4.5)")) {
                        sleep.execute();
                    }
                    ViewDatabase.apply(event, connection);
                    release.countDown();
                }));
        topic.send(topic.added("a", 1));
        assertThat(release.await(60, TimeUnit.SECONDS)).isTrue();
        bed.eventuallyApplied(1);
        assertThat(subscription.status().totals())
                .returns(0L, SubscriptionStatus.Counters::retries)
                .returns(0L, SubscriptionStatus.Counters::fenced);
    }

    private Map<String, Object> withShortPollInterval() {
        Map<String, Object> settings = new HashMap<>(SubscriptionBed.kafkaSettings(bed.kafka.bootstrapServers()));
        settings.put("max.poll.interval.ms", 3_000);
        return settings;
    }

    @Test
    void closeCutsAHandlerThatDoesNotReturn() {
        CountDownLatch entered = new CountDownLatch(1);
        Subscription subscription = bed.start(bed.bare()
                .timeouts(Timeouts.ofDefaults().withClose(Duration.ofMillis(300)))
                .on(Added.TYPE, Added.class, (event, connection) -> {
                    ViewDatabase.apply(event, connection);
                    entered.countDown();
                    new CountDownLatch(1).await();
                }));
        topic.send(topic.added("a", 1));
        eventually(() -> assertThat(entered.getCount()).isZero());
        long before = System.nanoTime();
        subscription.close();
        assertThat(Duration.ofNanos(System.nanoTime() - before))
                .isLessThan(Duration.ofSeconds(20)); // without limit: for ever
        assertThat(view.appliedCount()).isZero();
        bed.start();
        bed.eventuallyApplied(1);
    }
}
