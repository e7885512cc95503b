package dev.tributary.consumer.view;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static dev.tributary.consumer.TestTopic.header;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.consumer.Added;
import dev.tributary.consumer.History;
import dev.tributary.consumer.Limits;
import dev.tributary.consumer.PartitionStatus;
import dev.tributary.consumer.SubscriptionBed;
import dev.tributary.consumer.TestTopic;
import dev.tributary.consumer.Timeouts;
import dev.tributary.consumer.ViewDatabase;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.Replay;
import dev.tributary.outbox.wire.WireHeaders;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Where history ends and live events go on, to the offset: event 40 is history's last, and Kafka has kept those from 31 on. */
class ReplayedHistoryIT {
    private static final int EVENTS = 60;
    private static final int HISTORY = 40;
    private static final int DELETED = 30;
    /** Of the first live event that is not in history. */
    private static final long EXACT = HISTORY - DELETED;

    private static final String TABLES =
            "CREATE TABLE total (aggregate_id text PRIMARY KEY, total bigint NOT NULL, last_sequence bigint);"
                    + "CREATE TABLE applied (n bigint GENERATED ALWAYS AS IDENTITY, source text, event_id text,"
                    + " aggregate_id text, sequence bigint)";

    private final SubscriptionBed bed = new SubscriptionBed(LocalPostgres.shared(), LocalKafka.shared(), 1);
    private final TestTopic live = bed.topic;
    private final TestTopic replayed = new TestTopic(bed.kafka, 3);
    private final Admin admin = Admin.create(Map.of("bootstrap.servers", bed.kafka.bootstrapServers()));
    private final List<AsideBuild> builds = new ArrayList<>();
    private final List<ProducerRecord<byte[], byte[]>> events = new ArrayList<>();
    private volatile String poisoned = "";

    @BeforeEach
    void publish() throws Exception {
        for (int i = 0; i < EVENTS; i++) {
            events.add(live.added("a" + i % 7, i));
        }
        events.subList(DELETED, EVENTS).forEach(live::enqueue);
        live.flush();
        for (int i = 0; i < HISTORY; i++) {
            live.enqueue(repeated(events.get(i), live.name(), i));
        }
        live.enqueue(
                repeated(live.event("sales", "elsewhere", Added.TYPE, "{\"amount\":1}"), "sales.elsewhere", HISTORY));
        live.flush();
        if (!admin.listTopics().names().get().contains(Replay.TOPIC)) {
            admin.createTopics(List.of(new NewTopic(Replay.TOPIC, 1, (short) 1)))
                    .all()
                    .get();
        }
    }

    @AfterEach
    void close() {
        builds.forEach(AsideBuild::close);
        replayed.close();
        admin.close();
        bed.close();
    }

    private ProducerRecord<byte[], byte[]> repeated(ProducerRecord<byte[], byte[]> event, String origin, int number) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(
                replayed.name(), null, event.key(), event.value(), new RecordHeaders(event.headers()));
        header(record, WireHeaders.POSITION, new Position(1, HISTORY, number).toString());
        header(record, WireHeaders.REPLAY_OF, origin);
        return record;
    }

    private void note(boolean complete, Map<String, Replay.Live> goesOn)
            throws ExecutionException, InterruptedException {
        note(replayed.name(), complete, goesOn);
    }

    private void note(String topic, boolean complete, Map<String, Replay.Live> goesOn)
            throws ExecutionException, InterruptedException {
        Map<Integer, Long> ends = new HashMap<>();
        for (int i = 0; i < 3; i++) {
            TopicPartition partition = new TopicPartition(replayed.name(), i);
            ends.put(
                    i,
                    admin.listOffsets(Map.of(partition, org.apache.kafka.clients.admin.OffsetSpec.latest()))
                            .partitionResult(partition)
                            .get()
                            .offset());
        }
        Replay replay = new Replay("sales", topic, id(replayed), complete, 1, HISTORY + 1, ends, goesOn, null);
        live.send(new ProducerRecord<>(Replay.TOPIC, TestTopic.bytes(topic), replay.toJson()));
    }

    private String id(TestTopic topic) throws ExecutionException, InterruptedException {
        return admin.describeTopics(Set.of(topic.name()))
                .allTopicNames()
                .get()
                .get(topic.name())
                .topicId()
                .toString();
    }

    private Map<String, Replay.Live> goesOnAt(long offset) throws ExecutionException, InterruptedException {
        return Map.of(live.name(), new Replay.Live(id(live), Map.of(0, offset)));
    }

    private AsideBuild start() throws SQLException {
        return start(Long.MAX_VALUE, replayed.name());
    }

    private AsideBuild start(long eventsPerSecondMax, String... replays) throws SQLException {
        Surroundings surroundings = new Surroundings(
                SubscriptionBed.kafkaSettings(bed.kafka.bootstrapServers()),
                bed.view.dataSource(),
                Set.of(live.name()),
                Limits.ofDefaults().withBatchEventsMax(5),
                Timeouts.ofDefaults().withRetryMax(Duration.ofMillis(300)),
                subscription -> {});
        ViewVersion version = ViewVersion.of(
                        1,
                        TABLES,
                        subscription -> subscription.on(Added.TYPE, Added.class, (event, connection) -> {
                            if (event.aggregateId().equals(poisoned)) {
                                throw new IllegalStateException("poison");
                            }
                            ViewDatabase.apply(event, connection);
                        }))
                .with(History.replayed(replays));
        AsideBuild build = AsideBuild.start(surroundings, bed.name + ".aside", "aside", version, eventsPerSecondMax);
        builds.add(build);
        return build;
    }

    private void awaitAllOnceAndInOrder() {
        eventually(() -> assertThat(bed.view.number("SELECT count(*) FROM aside.applied"))
                .isGreaterThanOrEqualTo(EVENTS));
        assertThat(bed.view.strings("SELECT event_id FROM aside.applied"))
                .containsExactlyInAnyOrderElementsOf(
                        events.stream().map(TestTopic::id).toList());
        assertThat(bed.view.number("SELECT count(*) FROM (SELECT n, sequence, lag(sequence, 1, 0::bigint) OVER"
                        + " (PARTITION BY aggregate_id ORDER BY n) AS before FROM aside.applied) o"
                        + " WHERE sequence <> before + 1"))
                .isZero();
    }

    @Test
    void liveEventsGoOnAtTheVeryOffsetAndAreAppliedByWhoeverIsThere() throws Exception {
        note(false, goesOnAt(EXACT));
        start();
        start();
        eventually(() -> assertThat(bed.view.number("SELECT count(*) FROM aside.applied"))
                .isEqualTo(HISTORY));
        assertThat(builds.get(0).positions().keySet())
                .noneMatch(each -> each.topic().equals(live.name()));
        note(true, goesOnAt(EXACT));
        awaitAllOnceAndInOrder();
        builds.get(0).close();
        replayed.delete(); // nobody needs it any more
        live.send(events.remove(0)); // a repeat, of which the position tells
        ProducerRecord<byte[], byte[]> later = live.added("a1", 1);
        live.send(later);
        eventually(() -> assertThat(bed.view.strings("SELECT event_id FROM aside.applied"))
                .contains(TestTopic.id(later))
                .hasSize(EVENTS + 1));
        eventually(() -> assertThat(builds.get(1).status().reason()).isEmpty());
    }

    @Test
    void anEarlierOffsetDoesNoHarmAndALaterBeginningOfTheTopicIsNamed() throws Exception {
        live.deleteRecordsBefore(EXACT - 2);
        note(true, goesOnAt(EXACT - 3));
        AsideBuild build = start();
        eventually(() -> assertThat(build.status().partitions()).anySatisfy(partition -> {
            assertThat(partition.state()).isEqualTo(PartitionStatus.State.STOPPED);
            assertThat(partition.reason()).contains("but Kafka has deleted everything before " + (EXACT - 2));
            assertThat(partition.remedy()).contains("--resume");
        }));
        note(true, goesOnAt(EXACT - 2));
        awaitAllOnceAndInOrder();
        assertThat(build.status().totals().duplicates()).isEqualTo(2);
    }

    @Test
    void whatIsParkedInHistoryKeepsLiveEventsOfItsAggregateBehindIt() throws Exception {
        poisoned = "a3";
        note(true, goesOnAt(EXACT));
        AsideBuild build = start(20, replayed.name()); // live partitions have to wait, as history takes two seconds
        long ofPoisoned = events.stream().filter(this::isPoisoned).count();
        eventually(() -> assertThat(bed.view.number("SELECT count(*) FROM aside.applied"))
                .isEqualTo(EVENTS - ofPoisoned));
        assertThat(bed.view.number("SELECT count(*) FROM tributary.parked_event"))
                .isEqualTo(ofPoisoned);
        poisoned = "";
        assertThat(build.subscription().parkedEvents().redriveAll().failed()).isEmpty();
        awaitAllOnceAndInOrder();
    }

    private boolean isPoisoned(ProducerRecord<byte[], byte[]> event) {
        return java.util.Arrays.equals(event.key(), TestTopic.bytes(poisoned));
    }

    @Test
    void aPartOfHistoryIsNotGoneOnFrom() throws Exception {
        note(true, Map.of());
        AsideBuild build = start();
        eventually(() -> assertThat(build.status().partitions()).anySatisfy(partition -> assertThat(partition.reason())
                .contains("holds a part of the history of source sales")));
    }

    @Test
    void twoReplaysOfTheSameTopicAreRefused() throws Exception {
        note(true, goesOnAt(EXACT));
        note(replayed.name() + "-again", true, goesOnAt(EXACT));
        AsideBuild build = start(Long.MAX_VALUE, replayed.name(), replayed.name() + "-again");
        eventually(() -> assertThat(build.status().partitions()).anySatisfy(partition -> assertThat(partition.reason())
                .startsWith("both ")
                .contains("hold the history of " + live.name())));
    }
}
