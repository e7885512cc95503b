package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static dev.tributary.consumer.SubscriptionBed.partition;
import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.LongStream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The view's database is put back to what it was some time ago, under a subscription that nobody touches. */
class RestoredDatabaseIT {
    private static final Aggregate P = new Aggregate("sales", "account", "p");

    private final SubscriptionBed bed = new SubscriptionBed();
    private final ViewDatabase view = bed.view;
    private final TestTopic topic = bed.topic;
    private final Set<Long> refused = ConcurrentHashMap.newKeySet();
    private volatile boolean deadlocks;

    @AfterEach
    void close() {
        bed.close();
    }

    private Subscription start() {
        return bed.start(bed.bare()
                .limits(Limits.ofDefaults().withBatchEventsMax(7))
                .on(Added.TYPE, Added.class, (event, connection) -> {
                    ViewDatabase.apply(event, connection);
                    if (refused.contains(event.payload().amount())) {
                        throw new IllegalArgumentException("refused");
                    }
                    if (deadlocks) {
                        throw new SQLException("deadlock detected", "40P01");
                    }
                }));
    }

    private void send(String aggregateId, long... amounts) {
        for (long amount : amounts) {
            topic.enqueue(topic.added(aggregateId, amount));
        }
        topic.flush();
    }

    private static void parks(Subscription subscription, long events) {
        eventually(
                () -> assertThat(subscription.parkedEvents().count().events()).isEqualTo(events));
    }

    private static List<Long> numbers(long last) {
        return LongStream.rangeClosed(1, last).boxed().toList();
    }

    @Test
    void catchesUpWithParkedEventsAndGapsAsTheyWere() throws SQLException {
        refused.addAll(Set.of(2L, 5L));
        Subscription subscription = start();
        send("a", 1, 1, 1);
        send("p", 1, 2, 1);
        send("g", 1, 1);
        ProducerRecord<byte[], byte[]> late = topic.added("g", 1);
        send("g", 1);
        parks(subscription, 3);
        bed.eventuallyApplied(6);
        try (ViewDatabase.Backup backup = view.backup()) {
            refused.remove(2L);
            assertThat(subscription.parkedEvents().redrive(P).events()).isEqualTo(2);
            send("a", 1, 1, 1, 1);
            send("p", 1, 1);
            send("q", 1, 5, 1);
            bed.eventuallyApplied(15);
            topic.send(topic.later(late));
            send("g", 1);
            eventually(() -> assertThat(view.sequences().get("g")).isEqualTo(numbers(5)));
            assertThat(subscription
                            .parkedEvents()
                            .discardAll(new Aggregate("sales", "account", "q"), "test data", "ada"))
                    .isEqualTo(2);
            refused.clear();

            backup.putBack();
            // All of it but p, which waits for people as it did then
            eventually(() -> assertThat(view.sequences())
                    .isEqualTo(Map.of("a", numbers(7), "p", numbers(1), "q", numbers(3), "g", numbers(5))));
            parks(subscription, 4);
            assertThat(subscription.parkedEvents().redriveAll()).isEqualTo(new Redriven(4, 1, List.of()));
            for (String each : List.of("a", "g", "p", "q")) {
                send(each, 1);
            }
            eventually(() -> assertThat(view.sequences())
                    .isEqualTo(Map.of("a", numbers(8), "p", numbers(6), "q", numbers(4), "g", numbers(6))));
            assertThat(view.appliedIds()).doesNotHaveDuplicates();
            assertThat(view.totals()).isEqualTo(Map.of("a", 8L, "p", 7L, "q", 8L, "g", 6L));
            assertThat(subscription.parkedEvents().count().events()).isZero();
        }
    }

    /** What an attempt has learnt of others' work must not outlive it: the same row may stand for less now. */
    @Test
    void redriveThatIsNotInTheBackupIsForgotten() throws SQLException {
        refused.add(2L);
        Subscription subscription = start();
        send("p", 1, 2);
        parks(subscription, 1);
        try (ViewDatabase.Backup backup = view.backup()) {
            refused.clear();
            assertThat(subscription.parkedEvents().redrive(P).events()).isEqualTo(1);
            deadlocks = true;
            send("p", 1);
            eventually(() -> assertThat(partition(subscription).state()).isEqualTo(PartitionStatus.State.RETRYING));
            backup.putBack();
            deadlocks = false;
            parks(subscription, 2);
            assertThat(subscription.parkedEvents().redriveAll()).isEqualTo(new Redriven(2, 1, List.of()));
            send("p", 1);
            eventually(() -> assertThat(view.sequences()).isEqualTo(Map.of("p", numbers(4))));
        }
    }
}
