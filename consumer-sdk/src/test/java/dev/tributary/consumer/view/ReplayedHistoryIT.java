package dev.tributary.consumer.view;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static dev.tributary.consumer.TestTopic.header;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
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
        return repeated(event, origin, replayed, HISTORY, number);
    }

    private static ProducerRecord<byte[], byte[]> repeated(
            ProducerRecord<byte[], byte[]> event, String origin, TestTopic topic, long last, int number) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(
                topic.name(), null, event.key(), event.value(), new RecordHeaders(event.headers()));
        header(record, WireHeaders.POSITION, new Position(1, last, number).toString());
        header(record, WireHeaders.REPLAY_OF, origin);
        return record;
    }

    /** One that can be sent again. */
    private static ProducerRecord<byte[], byte[]> copy(ProducerRecord<byte[], byte[]> record) {
        return new ProducerRecord<>(
                record.topic(), null, record.key(), record.value(), new RecordHeaders(record.headers()));
    }

    private void note(boolean complete, Map<String, Replay.Live> goesOn)
            throws ExecutionException, InterruptedException {
        note(replayed.name(), complete, goesOn);
    }

    private void note(String topic, boolean complete, Map<String, Replay.Live> goesOn)
            throws ExecutionException, InterruptedException {
        note(topic, replayed, 3, HISTORY, complete, goesOn);
    }

    /** @param last the position of the last event in it */
    private void note(
            String name, TestTopic topic, int partitions, long last, boolean complete, Map<String, Replay.Live> goesOn)
            throws ExecutionException, InterruptedException {
        Map<Integer, Long> ends = new HashMap<>();
        for (int i = 0; i < partitions; i++) {
            TopicPartition partition = new TopicPartition(topic.name(), i);
            ends.put(
                    i,
                    admin.listOffsets(Map.of(partition, org.apache.kafka.clients.admin.OffsetSpec.latest()))
                            .partitionResult(partition)
                            .get()
                            .offset());
        }
        note(new Replay("sales", name, id(topic), complete, 1, last + 1, ends, goesOn, false, null));
    }

    private void note(Replay replay) {
        live.send(new ProducerRecord<>(Replay.TOPIC, TestTopic.bytes(replay.topic()), replay.toJson()));
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
        AsideBuild build =
                AsideBuild.start(surroundings(), bed.name + ".aside", "aside", version(replays), eventsPerSecondMax);
        builds.add(build);
        return build;
    }

    private Surroundings surroundings() {
        return new Surroundings(
                SubscriptionBed.kafkaSettings(bed.kafka.bootstrapServers()),
                bed.view.dataSource(),
                Set.of(live.name()),
                Limits.ofDefaults().withBatchEventsMax(5),
                Timeouts.ofDefaults().withRetryMax(Duration.ofMillis(300)),
                subscription -> {});
    }

    private ViewVersion version(String... replays) {
        return ViewVersion.of(
                        1,
                        TABLES,
                        subscription -> subscription.on(Added.TYPE, Added.class, (event, connection) -> {
                            if (event.aggregateId().equals(poisoned)) {
                                throw new IllegalStateException("poison");
                            }
                            ViewDatabase.apply(event, connection);
                        }))
                .with(History.replayed(replays));
    }

    private Audit audit() {
        return new Audit(
                surroundings(),
                new LiveTables(bed.name + ".aside", "aside"),
                AuditOptions.ofDefaults().leavingOut("applied.n"));
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
        eventually(() -> assertThat(build.status().totals().duplicates()).isEqualTo(2));
    }

    @Test
    void whatIsParkedInHistoryKeepsLiveEventsOfItsAggregateBehindIt() throws Exception {
        poisoned = "a3";
        note(true, goesOnAt(EXACT));
        AsideBuild build = start(20, replayed.name()); // live partitions have to wait, as history takes two seconds
        long ofPoisoned = events.stream().filter(this::isPoisoned).count();
        eventually(() -> assertThat(bed.view.number("SELECT count(*) FROM aside.applied"))
                .isEqualTo(EVENTS - ofPoisoned));
        eventually(() -> assertThat(bed.view.number("SELECT count(*) FROM tributary.parked_event"))
                .isEqualTo(ofPoisoned));
        poisoned = "";
        assertThat(build.subscription().parkedEvents().redriveAll().failed()).isEmpty();
        awaitAllOnceAndInOrder();
    }

    /** Event 40 is in neither: it is 6 of a5. What is 1 of quiet is in history, 2 is nowhere, 3 comes much later. */
    @Test
    void aHoleBetweenHistoryAndLiveEventsParksItsAggregateAndSaysSo() throws Exception {
        live.send(repeated(live.added("quiet", 1), live.name(), HISTORY + 1));
        var lost = live.added("quiet", 2);
        note(true, goesOnAt(EXACT + 1));
        AsideBuild build = start();
        eventually(() -> assertThat(bed.view.number("SELECT count(*) FROM aside.applied"))
                .isEqualTo(HISTORY + 1 + EVENTS - HISTORY - 3));
        assertThat(bed.view.strings("SELECT DISTINCT aggregate_id || error FROM tributary.parked_event"
                        + " WHERE error IS NOT NULL"))
                .containsExactly("a5sequence 7 came, 6 is missing between the replayed history, which ends with 5, and"
                        + " live events: they were lost there, so replay to another topic and build from that");
        assertThat(bed.view.number("SELECT count(*) FROM tributary.parked_event"))
                .isEqualTo(2);
        build.close();
        start(); // learns from the database what history has ended with
        live.send(live.added("quiet", 3));
        eventually(() -> assertThat(
                        bed.view.strings("SELECT error FROM tributary.parked_event WHERE aggregate_id = 'quiet'"))
                .singleElement()
                .asString()
                .startsWith("sequence 3 came, 2 is missing between the replayed history, which ends with 1,"));
        live.send(live.later(copy(events.get(HISTORY))), live.later(lost)); // the source has sent them again
        eventually(() -> assertThat(bed.view.strings("SELECT aggregate_id || string_agg(sequence::text, '' ORDER BY n)"
                        + " FROM aside.applied WHERE aggregate_id IN ('a5', 'quiet') GROUP BY aggregate_id ORDER BY 1"))
                .containsExactly("a512345678", "quiet123"));
    }

    private static void approach(MatchedRebuild rebuild) {
        try {
            rebuild.approach();
        } catch (SQLException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private boolean isPoisoned(ProducerRecord<byte[], byte[]> event) {
        return isOf(poisoned, event);
    }

    private static boolean isOf(String aggregateId, ProducerRecord<byte[], byte[]> event) {
        return Arrays.equals(event.key(), TestTopic.bytes(aggregateId));
    }

    @Test
    void whatWasBuiltFromAReplayIsAuditedAndRepairedByThatOneAndByALaterOne() throws Exception {
        poisoned = "a3";
        note(true, goesOnAt(EXACT));
        AsideBuild build = start();
        long ofPoisoned = events.stream().filter(this::isPoisoned).count();
        eventually(() -> assertThat(bed.view.number("SELECT count(*) FROM aside.applied"))
                .isEqualTo(EVENTS - ofPoisoned));
        live.deleteRecordsBefore(EXACT);
        poisoned = "";
        AuditReport first = audit().run(version(replayed.name()));
        assertThat(first.clean()).as(first.text()).isTrue();
        assertThat(first.parked()).isEqualTo(ofPoisoned);

        bed.view.execute("UPDATE aside.total SET total = -1 WHERE aggregate_id = 'a1'");
        try (TestTopic later = new TestTopic(bed.kafka, 1)) {
            for (int i = 0; i < EVENTS; i++) {
                later.enqueue(repeated(events.get(i), live.name(), later, EVENTS, i));
            }
            later.flush();
            note(later.name(), later, 1, EVENTS, true, goesOnAt(EVENTS - DELETED));
            RepairReport repaired = audit().repair(version(later.name()));
            assertThat(repaired.audit().differences()).singleElement().satisfies(row -> {
                assertThat(row.key()).containsEntry("aggregate_id", "a1");
                assertThat(row.events())
                        .extracting(EventTrace::id)
                        .containsExactlyElementsOf(events.stream()
                                .filter(each -> isOf("a1", each))
                                .map(TestTopic::id)
                                .toList());
            });
            assertThat(repaired.repaired()).hasSize(1);

            build.close();
            ProducerRecord<byte[], byte[]> next = live.added("a1", 1);
            live.send(next); // is in the replay, and not in the tables
            later.send(repeated(next, live.name(), later, EVENTS + 1, EVENTS));
            note(later.name(), later, 1, EVENTS + 1, true, goesOnAt(EVENTS + 1 - DELETED));
            try (MatchedRebuild rebuild = MatchedRebuild.start(
                    surroundings(),
                    new LiveTables(bed.name + ".aside", "aside"),
                    "audit",
                    EventFates::parkedAndDiscarded,
                    version(later.name()),
                    Long.MAX_VALUE)) {
                CompletableFuture<Void> approach = CompletableFuture.runAsync(() -> approach(rebuild));
                assertThatThrownBy(() -> approach.get(3, TimeUnit.SECONDS)).isInstanceOf(TimeoutException.class);
                start();
                approach.get(60, TimeUnit.SECONDS);
                assertThat(bed.view.number("SELECT count(*) FROM aside.applied"))
                        .isEqualTo(EVENTS - ofPoisoned + 1);
            }
            assertThat(audit().run(version(later.name())).clean()).isTrue();
        }
    }

    @Test
    void aPartOfHistoryIsNotGoneOnFrom() throws Exception {
        note(true, Map.of());
        AsideBuild build = start();
        eventually(() -> assertThat(build.status().partitions()).anySatisfy(partition -> assertThat(partition.reason())
                .contains("holds a part of the history of source sales")));
    }

    @Test
    void aReplayFromBeforeTheFirstLiveTopicIsToBeAddedTo() throws Exception {
        try (TestTopic empty = new TestTopic(bed.kafka, 3)) {
            note(new Replay("sales", empty.name(), id(empty), true, 1, 1, Map.of(), Map.of(), true, null));
            AsideBuild build = start(Long.MAX_VALUE, empty.name());
            eventually(() -> assertThat(build.status().partitions()).anySatisfy(partition -> {
                assertThat(partition.reason()).contains("was written when source sales had no live topic yet");
                assertThat(partition.remedy()).contains("--resume");
            }));
            note(new Replay("sales", empty.name(), id(empty), true, 1, 1, Map.of(), goesOnAt(0), true, null));
            eventually(() -> assertThat(bed.view.strings("SELECT event_id FROM aside.applied"))
                    .containsExactlyInAnyOrderElementsOf(events.subList(DELETED, EVENTS).stream()
                            .map(TestTopic::id)
                            .toList()));
        }
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
