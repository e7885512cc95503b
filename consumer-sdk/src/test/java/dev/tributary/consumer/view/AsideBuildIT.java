package dev.tributary.consumer.view;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.consumer.Added;
import dev.tributary.consumer.Event;
import dev.tributary.consumer.History;
import dev.tributary.consumer.Limits;
import dev.tributary.consumer.PartitionStatus;
import dev.tributary.consumer.SubscriptionBed;
import dev.tributary.consumer.TestTopic;
import dev.tributary.consumer.Timeouts;
import dev.tributary.consumer.ViewDatabase;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.EventTypes;
import dev.tributary.outbox.NewEvent;
import dev.tributary.outbox.Outbox;
import dev.tributary.outbox.OutboxSchema;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AsideBuildIT {
    private static final ViewVersion TOTALS = ViewVersion.of(
            1,
            "CREATE TABLE total (aggregate_id text PRIMARY KEY, total bigint NOT NULL, last_sequence bigint);"
                    + "CREATE TABLE applied (n bigint GENERATED ALWAYS AS IDENTITY, source text, event_id text,"
                    + " aggregate_id text, sequence bigint)",
            subscription -> subscription.on(Added.TYPE, Added.class, ViewDatabase::apply));

    private final SubscriptionBed bed = new SubscriptionBed(LocalPostgres.shared(), LocalKafka.shared(), 2);
    private final ViewDatabase view = bed.view;
    private final TestTopic topic = bed.topic;
    private AsideBuild build;

    @AfterEach
    void close() {
        if (build != null) {
            build.close();
        }
        bed.close();
    }

    private Surroundings surroundings(int batchEventsMax) {
        return new Surroundings(
                SubscriptionBed.kafkaSettings(bed.kafka.bootstrapServers()),
                view.dataSource(),
                Set.of(topic.name()),
                Limits.ofDefaults().withBatchEventsMax(batchEventsMax),
                Timeouts.ofDefaults().withRetryMax(Duration.ofMillis(500)),
                subscription -> {});
    }

    private AsideBuild start(ViewVersion version, long eventsPerSecondMax) throws SQLException {
        build = AsideBuild.start(surroundings(10), bed.name + ".aside", "aside", version, eventsPerSecondMax);
        return build;
    }

    private void send(int events) {
        for (int i = 0; i < events; i++) {
            topic.enqueue(topic.added("a" + i % 7, i));
        }
        topic.flush();
    }

    private long built() {
        return view.number("SELECT count(*) FROM aside.applied");
    }

    @Test
    void equalsTheLiveTablesWhichItDoesNotTouch() throws SQLException {
        send(100);
        bed.start();
        bed.eventuallyApplied(100);
        start(TOTALS, Long.MAX_VALUE);
        send(50);
        bed.eventuallyApplied(150);
        eventually(() -> assertThat(built()).isEqualTo(150));
        assertThat(view.number("SELECT count(*) FROM (SELECT * FROM total EXCEPT SELECT * FROM aside.total) x"))
                .isZero();
        assertThat(view.number("SELECT count(*) FROM (SELECT event_id, sequence FROM applied EXCEPT"
                        + " SELECT event_id, sequence FROM aside.applied) x"))
                .isZero();
        build.drop();
        assertThat(view.number("SELECT count(*) FROM pg_namespace WHERE nspname = 'aside'"))
                .isZero();
        assertThat(view.number("SELECT count(DISTINCT subscription) FROM tributary.subscription_position"))
                .isEqualTo(1);
    }

    @Test
    void stopsBeforeAnOffsetAndGoesOnFromThere() throws SQLException {
        start(TOTALS, Long.MAX_VALUE);
        Map<TopicPartition, Long> stops =
                Map.of(new TopicPartition(topic.name(), 0), 7L, new TopicPartition(topic.name(), 1), 13L);
        build.stopBefore(stops);
        send(200);
        eventually(() -> assertThat(build.positions()).isEqualTo(stops));
        bed.start();
        bed.eventuallyApplied(200);
        assertThat(build.positions()).isEqualTo(stops);
        assertThat(built()).isEqualTo(20);
        build.close();
        start(TOTALS, Long.MAX_VALUE);
        eventually(() -> assertThat(built()).isEqualTo(200));
    }

    @Test
    void pausesBetweenBatchesAndKeepsItsRate() throws Exception {
        start(TOTALS, 100);
        long begin = System.nanoTime();
        send(400);
        eventually(() -> assertThat(built()).isGreaterThan(20));
        build.pause();
        long atPause = built();
        bed.start();
        bed.eventuallyApplied(400);
        assertThat(built()).isLessThanOrEqualTo(atPause + 20).isLessThan(400);
        build.resume();
        eventually(() -> assertThat(built()).isEqualTo(400));
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThan(Duration.ofMillis(3_500));
    }

    @Test
    void historyThatKafkaHasDeletedIsMissedUnlessItIsNotWanted() throws Exception {
        send(40);
        topic.deleteRecordsBefore(5);
        start(TOTALS, Long.MAX_VALUE);
        eventually(() -> assertThat(build.status().partitions()).anySatisfy(partition -> {
            assertThat(partition.state()).isEqualTo(PartitionStatus.State.STOPPED);
            assertThat(partition.reason())
                    .contains("wants offset 0, and Kafka has deleted everything before 5, so that 5 offsets are gone");
            assertThat(partition.remedy()).contains("relay replay").contains("History.since(time)");
        }));
        build.close();
        start(TOTALS.with(History.since(Instant.EPOCH)), Long.MAX_VALUE);
        eventually(() -> assertThat(build.status().partitions())
                .anySatisfy(partition -> assertThat(partition.reason()).contains("wants offset 4")));
        build.close();
        start(TOTALS.with(History.remaining()), Long.MAX_VALUE);
        eventually(() -> assertThat(built()).isEqualTo(35));
    }

    @Test
    void historyFromATimeOn() throws Exception {
        send(40);
        Instant from = Instant.now().plusMillis(1);
        eventually(() -> assertThat(Instant.now()).isAfter(from));
        send(20);
        start(TOTALS.with(History.since(from)), Long.MAX_VALUE);
        eventually(() -> assertThat(built()).isEqualTo(20));
        assertThat(build.positions().values().stream()
                        .mapToLong(Long::longValue)
                        .sum())
                .isEqualTo(60);
    }

    @Test
    void handlersThatPublishAreParkedWithTheRemedy() throws Exception {
        try (Connection connection = view.dataSource().getConnection()) {
            OutboxSchema.apply(connection);
        }
        Outbox outbox =
                Outbox.of(EventTypes.builder().register("seen", 1, Added.class).build());
        start(
                ViewVersion.of(
                        1,
                        "CREATE TABLE t ()",
                        subscription -> subscription.on(
                                Added.TYPE,
                                Added.class,
                                (event, connection) ->
                                        outbox.publish(connection, NewEvent.of("account", "a", event.payload())))),
                Long.MAX_VALUE);
        topic.send(topic.added("a", 1));
        eventually(() -> assertThat(view.strings("SELECT error FROM tributary.parked_event"))
                .singleElement()
                .asString()
                .contains("publish from the view's effects"));
    }

    /** The driver keeps prepared statements by their text, and a pool lends one connection to both. */
    @Test
    void sameStatementOnTablesWithOtherColumns() throws Exception {
        view.dataSource().getHikariConfigMXBean().setMaximumPoolSize(1);
        view.dataSource().getHikariConfigMXBean().setConnectionTimeout(60_000);
        AtomicInteger wide = new AtomicInteger();
        AtomicInteger narrow = new AtomicInteger();
        try (AsideBuild other = AsideBuild.start(
                surroundings(1),
                bed.name + ".other",
                "other",
                ViewVersion.of(
                        1,
                        "CREATE TABLE t (a int, b text)",
                        s -> s.on(Added.TYPE, Added.class, (event, connection) -> touch(event, connection, wide))),
                Long.MAX_VALUE)) {
            build = AsideBuild.start(
                    surroundings(1),
                    bed.name + ".aside",
                    "aside",
                    ViewVersion.of(
                            1,
                            "CREATE TABLE t (a int)",
                            s -> s.on(
                                    Added.TYPE, Added.class, (event, connection) -> touch(event, connection, narrow))),
                    Long.MAX_VALUE);
            send(200);
            eventually(() -> assertThat(
                            view.number("SELECT count(*) FROM other.t") + view.number("SELECT count(*) FROM aside.t"))
                    .isEqualTo(400));
            assertThat(view.number("SELECT count(*) FROM tributary.parked_event"))
                    .isZero();
            assertThat(wide.get()).isEqualTo(200);
            assertThat(narrow.get()).isEqualTo(200);
            assertThat(other.status().totals().retries()).isZero();
        }
    }

    private static void touch(Event<Added> event, Connection connection, AtomicInteger calls) throws SQLException {
        calls.incrementAndGet();
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t (a) VALUES (?) RETURNING *")) {
            insert.setInt(1, (int) event.payload().amount());
            try (ResultSet row = insert.executeQuery()) {
                row.next();
            }
        }
    }
}
