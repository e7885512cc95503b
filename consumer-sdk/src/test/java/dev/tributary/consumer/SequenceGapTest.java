package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static dev.tributary.consumer.SubscriptionBed.partition;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.outbox.wire.WireHeaders;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.LongStream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SequenceGapTest {
    private static final Aggregate A = new Aggregate("sales", "account", "a");

    private final SubscriptionBed bed = new SubscriptionBed();
    private final ViewDatabase view = bed.view;
    private final TestTopic topic = bed.topic;

    @AfterEach
    void close() {
        bed.close();
    }

    /** An event at the next position with any number. */
    private ProducerRecord<byte[], byte[]> numbered(String aggregateId, long sequence) {
        return numbered(topic.added(aggregateId, 1), sequence);
    }

    private static ProducerRecord<byte[], byte[]> numbered(ProducerRecord<byte[], byte[]> record, long sequence) {
        record.headers().remove(WireHeaders.SEQUENCE);
        TestTopic.header(record, WireHeaders.SEQUENCE, Long.toString(sequence));
        return record;
    }

    private static ProducerRecord<byte[], byte[]> withoutPosition(ProducerRecord<byte[], byte[]> record) {
        record.headers().remove(WireHeaders.POSITION);
        return record;
    }

    private void send(String aggregateId, long... sequences) {
        LongStream.of(sequences).forEach(sequence -> topic.enqueue(numbered(aggregateId, sequence)));
        topic.flush();
    }

    private void eventuallyApplied(String aggregateId, long... sequences) {
        eventually(() -> assertThat(view.sequences().get(aggregateId))
                .containsExactly(LongStream.of(sequences).boxed().toArray(Long[]::new)));
    }

    private static void eventuallyParked(Subscription subscription, long events) {
        eventually(
                () -> assertThat(subscription.parkedEvents().count().events()).isEqualTo(events));
    }

    private static String error(Subscription subscription) throws SQLException {
        List<ParkedAggregate> parked = subscription.parkedEvents().aggregates(10);
        assertThat(parked).hasSize(1);
        return String.valueOf(parked.get(0).error());
    }

    @Test
    void gapParksTheAggregateAndLateArrivalsInAnyOrderHealIt() throws SQLException {
        Subscription subscription = bed.start();
        send("a", 1, 2, 3, 7, 8);
        send("b", 1, 2);
        eventuallyApplied("b", 1, 2);
        eventuallyParked(subscription, 2);
        assertThat(error(subscription)).isEqualTo("sequence 7 came, 4 to 6 are missing");
        assertThat(subscription.parkedEvents().redrive(A).failed())
                .extracting(Redriven.Failed::error)
                .containsExactly("sequence 7 came, 4 to 6 are missing");

        send("a", 5);
        eventuallyParked(subscription, 3);
        send("a", 4);
        eventuallyApplied("a", 1, 2, 3, 4, 5);
        eventuallyParked(subscription, 2);
        topic.send(withoutPosition(numbered("a", 6)));
        eventuallyApplied("a", 1, 2, 3, 4, 5, 6, 7, 8);
        eventuallyParked(subscription, 0);
        send("a", 9, 10, 12);
        eventuallyApplied("a", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
        eventuallyParked(subscription, 1);
        assertThat(error(subscription)).isEqualTo("sequence 12 came, 11 is missing");
        assertThat(view.appliedIds()).doesNotHaveDuplicates();
    }

    @Test
    void beginningInTheMiddleIsNoGapAndWhatIsKnownOutlivesARestart() throws SQLException {
        Subscription first = bed.start();
        send("a", 41, 42);
        eventuallyApplied("a", 41, 42);
        first.close();
        send("a", 44);
        Subscription second = bed.start();
        eventuallyParked(second, 1);
        assertThat(error(second)).isEqualTo("sequence 44 came, 43 is missing");
        second.close();
        send("a", 43);
        Subscription third = bed.start();
        eventuallyApplied("a", 41, 42, 43, 44);
        send("a", 46);
        eventuallyParked(third, 1);
        third.close();
        // As if killed between the late arrival's transaction and the redrive that follows it
        view.execute("UPDATE tributary.parked_aggregate SET last_sequence = 45");
        bed.start();
        eventuallyApplied("a", 41, 42, 43, 44, 46);
    }

    @Test
    void everyTypeCountsAndWhatHasNoNumberOrNoPositionDoesNot() throws SQLException {
        Subscription subscription = bed.start(bed.accounts().onUnknownType(UnknownType.SKIP));
        topic.send(
                numbered("a", 1),
                numbered(topic.event("sales", "a", "account.seen.v1", "{}"), 2),
                numbered("a", 3),
                numbered(topic.event("sales", "a", "account.seen.v1", "{}"), 5),
                numbered("a", 6));
        topic.send(withoutPosition(numbered("f", 3)), withoutPosition(numbered("f", 9)));
        ProducerRecord<byte[], byte[]> first = numbered("u", 1);
        ProducerRecord<byte[], byte[]> unsequenced = topic.added("u", 1);
        unsequenced.headers().remove(WireHeaders.SEQUENCE);
        topic.send(first, unsequenced, numbered("u", 2));
        eventually(() -> assertThat(view.sequences().get("f")).containsExactly(3L, 9L));
        eventually(() -> assertThat(view.sequences().get("u")).containsExactly(1L, 0L, 2L));
        eventuallyParked(subscription, 2);
        assertThat(error(subscription)).isEqualTo("sequence 5 came, 4 is missing");
        send("a", 4);
        eventuallyApplied("a", 1, 3, 4, 6);
        eventuallyParked(subscription, 0);
    }

    @Test
    void peopleMayGoOnWithoutTheMissingNumbersAndWithoutEvents() throws SQLException {
        Subscription subscription = bed.start();
        ParkedEvents parked = subscription.parkedEvents();
        send("a", 1, 4, 5);
        eventuallyParked(subscription, 2);
        assertThat(parked.acceptGap(A, "lost in the great fire", "ada")).isEqualTo(new Redriven(2, 1, List.of()));
        assertThat(view.strings("SELECT missing || reason || accepted_by FROM tributary.accepted_gap"))
                .containsExactly("[2,4)lost in the great fireada");
        send("a", 6, 8);
        eventuallyApplied("a", 1, 4, 5, 6);
        eventuallyParked(subscription, 1);

        assertThat(parked.discardAll(A, "not needed", "ada")).isEqualTo(1);
        send("a", 9);
        eventuallyParked(subscription, 1);
        assertThat(error(subscription)).isEqualTo("sequence 9 came, 7 is missing");
        send("a", 7);
        eventuallyApplied("a", 1, 4, 5, 6, 7, 9);
        assertThatThrownBy(() -> parked.acceptGap(A, "none", "ada"))
                .isInstanceOf(SubscriptionException.class)
                .hasMessageContaining("does not wait");
    }

    @Test
    void numbersDiscardedWithinAGapAreNotWaitedFor() throws SQLException {
        Subscription subscription = bed.start();
        ParkedEvents parked = subscription.parkedEvents();
        send("a", 1, 5, 3);
        eventuallyParked(subscription, 2);
        assertThat(parked.discard(parked.events(A, 0, 2).get(1).number(), "not needed", "ada"))
                .isTrue();
        send("a", 2);
        eventuallyApplied("a", 1, 2);
        send("a", 4);
        eventuallyApplied("a", 1, 2, 4, 5);
        eventuallyParked(subscription, 0);
    }

    @Test
    void numberThatComesLateWithoutAPositionCountsAlsoBeforeItIsMissed() {
        bed.start();
        send("a", 1, 2);
        topic.send(withoutPosition(numbered("a", 3)));
        send("a", 4);
        eventuallyApplied("a", 1, 2, 3, 4);
    }

    @Test
    void gapBehindDiscardedFirstEventsIsAGap() throws SQLException {
        Subscription subscription = bed.start(bed.bare().on(Added.TYPE, Added.class, (event, connection) -> {
            if (event.sequence() == 1) {
                throw new IllegalArgumentException("one");
            }
            ViewDatabase.apply(event, connection);
        }));
        ParkedEvents parked = subscription.parkedEvents();
        send("a", 1, 3);
        send("b", 1);
        eventuallyParked(subscription, 3);
        assertThat(parked.discard(parked.events(A, 0, 1).get(0).number(), "not needed", "ada"))
                .isTrue();
        assertThat(parked.discardAll(new Aggregate("sales", "account", "b"), "not needed", "ada"))
                .isEqualTo(1);
        assertThat(parked.redrive(A).failed())
                .extracting(Redriven.Failed::error)
                .containsExactly("sequence 3 came, 2 is missing");
        send("b", 3);
        eventuallyParked(subscription, 2);
        send("a", 2);
        send("b", 2);
        eventuallyApplied("a", 2, 3);
        eventuallyApplied("b", 2, 3);
    }

    @Test
    void missingNumberThatCannotBeAppliedWaitsForPeople() throws SQLException {
        AtomicBoolean broken = new AtomicBoolean(true);
        Subscription.Builder builder = bed.bare().on(Added.TYPE, Added.class, (event, connection) -> {
            if (broken.get() && event.sequence() == 2) {
                throw new IllegalArgumentException("two");
            }
            ViewDatabase.apply(event, connection);
        });
        Subscription first = bed.start(builder);
        send("a", 1, 3, 2);
        eventuallyParked(first, 2);
        first.close();
        broken.set(false);
        Subscription second = bed.start(builder);
        send("a", 4);
        eventuallyParked(second, 3);
        assertThat(second.parkedEvents().redriveAll()).isEqualTo(new Redriven(3, 1, List.of()));
        eventuallyApplied("a", 1, 2, 3, 4);
    }

    @Test
    void gapsOfTooManyAggregatesStopThePartition() {
        Subscription subscription =
                bed.start(bed.accounts().limits(Limits.ofDefaults().withParkedAggregatesMax(2)));
        for (String id : List.of("a", "b", "c")) {
            send(id, 1);
        }
        for (String id : List.of("a", "b", "c")) {
            send(id, 3);
        }
        eventually(() -> assertThat(partition(subscription))
                .returns(PartitionStatus.State.STOPPED, PartitionStatus::state)
                .returns(5L, PartitionStatus::nextOffset)
                .satisfies(status -> assertThat(status.reason())
                        .contains("2 aggregates are parked", "account/c of sales: sequence 3 came, 2 is missing")));
    }

    @Test
    void gapsCanBeIgnored() {
        bed.start(bed.accounts().onSequenceGap(SequenceGap.IGNORE));
        send("a", 1, 5, 3);
        eventuallyApplied("a", 1, 5, 3);
        assertThat(view.number("SELECT count(*) FROM tributary.aggregate_sequence"))
                .isZero();
    }
}
