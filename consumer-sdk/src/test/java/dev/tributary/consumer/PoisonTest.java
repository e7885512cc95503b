package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static dev.tributary.consumer.SubscriptionBed.partition;
import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PoisonTest {
    private static final long BAD = 666;

    private final SubscriptionBed bed = new SubscriptionBed();
    private final ViewDatabase view = bed.view;
    private final TestTopic topic = bed.topic;

    @AfterEach
    void close() {
        bed.close();
    }

    private Subscription.Builder refusingBad() {
        return bed.bare().on(Added.TYPE, Added.class, (event, connection) -> {
            ViewDatabase.apply(event, connection);
            if (event.payload().amount() == BAD) {
                throw new IllegalArgumentException("cannot\0be \uD800");
            }
        });
    }

    @Test
    void poisonParksItsAggregateInOrderAndNothingElse() {
        List<String> parkedIds = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            boolean ofPoisoned = i % 10 == 3;
            ProducerRecord<byte[], byte[]> record = topic.added("a" + i % 10, i == 123 ? BAD : 1);
            if (ofPoisoned && i >= 123) {
                parkedIds.add(TestTopic.id(record));
            }
            topic.enqueue(record);
        }
        topic.flush();
        Subscription subscription = bed.start(refusingBad());

        bed.eventuallyApplied(300 - parkedIds.size());
        eventually(() -> assertThat(subscription.status().totals())
                .returns((long) parkedIds.size(), SubscriptionStatus.Counters::parked)
                .returns(300L - parkedIds.size(), SubscriptionStatus.Counters::applied));
        assertThat(view.strings("SELECT event_id FROM tributary.parked_event ORDER BY park_order"))
                .isEqualTo(parkedIds);
        assertThat(view.totals()).containsEntry("a3", 12L).containsEntry("a4", 30L);
        view.sequences()
                .forEach((id, sequences) ->
                        assertThat(sequences).as(id).isSorted().doesNotHaveDuplicates());
        assertThat(view.strings("SELECT error FROM tributary.parked_event WHERE attempts = 2"))
                .singleElement()
                .asString()
                .contains("IllegalArgumentException: cannot");
        assertThat(view.number("SELECT count(*) FROM tributary.parked_event WHERE attempts = 0 AND error IS NULL"))
                .isEqualTo(parkedIds.size() - 1);
        assertThat(partition(subscription).state()).isEqualTo(PartitionStatus.State.RUNNING);
    }

    @Test
    void laterEventsOfAParkedAggregateStayParkedAfterARestart() throws SQLException {
        Subscription first = bed.start(refusingBad());
        topic.send(topic.added("p", BAD));
        eventually(() -> assertThat(first.status().totals().parked()).isEqualTo(1));
        first.close();
        topic.send(topic.added("p", 1), topic.added("q", 1));
        Subscription second = bed.start();
        bed.eventuallyApplied(1);
        assertThat(view.totals()).isEqualTo(Map.of("q", 1L));
        assertThat(second.parkedEvents().count())
                .returns(1L, ParkedCounts::aggregates)
                .returns(2L, ParkedCounts::events)
                .satisfies(count -> assertThat(count.since()).isNotNull());
    }

    @Test
    void unreadablePayloadIsParkedAsItCame() {
        Subscription subscription = bed.start();
        topic.send(topic.event("sales", "p", Added.TYPE, "{\"amount\":\"many\"}"), topic.added("q", 1));
        bed.eventuallyApplied(1);
        eventually(() -> assertThat(subscription.status().totals().parked()).isEqualTo(1));
        assertThat(view.strings("SELECT convert_from(record_value, 'UTF8') || type || aggregate_type || aggregate_id"
                        + " || source || sequence FROM tributary.parked_event"))
                .containsExactly("{\"amount\":\"many\"}" + Added.TYPE + "accountpsales1");
        assertThat(
                        view.strings(
                                "SELECT h->>1 FROM tributary.parked_event, json_array_elements(headers) h WHERE h->>0 = 'tenant'"))
                .containsExactly("acme");
    }

    @Test
    void passingFailuresAreTriedAgainAndNeverPark() {
        AtomicInteger failures = new AtomicInteger();
        Subscription subscription = bed.start(bed.bare().on(Added.TYPE, Added.class, (event, connection) -> {
            ViewDatabase.apply(event, connection);
            if (failures.getAndIncrement() < 4) {
                throw new RuntimeException(new SQLException("deadlock detected", "40P01"));
            }
        }));
        topic.send(topic.added("a", 1), topic.added("a", 2));
        bed.eventuallyApplied(2);
        eventually(() -> assertThat(subscription.status().totals())
                .returns(0L, SubscriptionStatus.Counters::parked)
                .returns(4L, SubscriptionStatus.Counters::retries));
        assertThat(view.totals()).isEqualTo(Map.of("a", 3L));
    }

    @Test
    void failureThatOnlyTheCommitShowsIsFoundToo() {
        view.execute(
                "CREATE TABLE forbidden (n bigint PRIMARY KEY)",
                "INSERT INTO forbidden VALUES (1)",
                "CREATE TABLE checked (n bigint REFERENCES forbidden DEFERRABLE INITIALLY DEFERRED)");
        for (int i = 0; i < 50; i++) {
            topic.enqueue(topic.added("a" + i, i == 20 ? BAD : 1));
        }
        topic.flush();
        Subscription subscription = bed.start(bed.bare().on(Added.TYPE, Added.class, (event, connection) -> {
            ViewDatabase.apply(event, connection);
            try (var insert = connection.prepareStatement("INSERT INTO checked VALUES (?)")) {
                insert.setLong(1, event.payload().amount());
                insert.executeUpdate();
            }
        }));
        bed.eventuallyApplied(49);
        eventually(() -> assertThat(subscription.status().totals().parked()).isEqualTo(1));
        assertThat(view.strings("SELECT aggregate_id FROM tributary.parked_event"))
                .containsExactly("a20");
    }

    @Test
    void handlerThatFailsForEverythingStopsThePartition() {
        Subscription subscription =
                bed.start(refusingBad().limits(Limits.ofDefaults().withParkedAggregatesMax(3)));
        for (int i = 0; i < 10; i++) {
            topic.enqueue(topic.added("a" + i, BAD));
        }
        topic.flush();
        eventually(() -> assertThat(partition(subscription).state()).isEqualTo(PartitionStatus.State.STOPPED));
        assertThat(partition(subscription))
                .returns(3L, PartitionStatus::nextOffset)
                .satisfies(status -> assertThat(status.reason()).contains("3 aggregates are parked", "cannot"));
        assertThat(view.number("SELECT count(*) FROM tributary.parked_event")).isEqualTo(3);
    }

    @Test
    void handlerMayNotEndTheTransaction() {
        Subscription subscription = bed.start(bed.bare().on(Added.TYPE, Added.class, (event, connection) -> {
            ViewDatabase.apply(event, connection);
            connection.close();
            if (event.payload().amount() == BAD) {
                connection.commit();
            }
        }));
        topic.send(topic.added("a", 1), topic.added("b", BAD));
        eventually(() -> assertThat(subscription.status().totals())
                .returns(1L, SubscriptionStatus.Counters::parked)
                .returns(1L, SubscriptionStatus.Counters::applied));
        assertThat(view.totals()).isEqualTo(Map.of("a", 1L));
        assertThat(view.strings("SELECT error FROM tributary.parked_event").get(0))
                .contains("Connection.commit()");
    }
}
