package dev.tributary.relay;

import static dev.tributary.relay.ReplayUnderTest.SOON;
import static dev.tributary.relay.TopicsUnderTest.header;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.retention.RetentionSettings;
import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.Replay;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.replay.HistoryReplay.Options;
import dev.tributary.relay.replay.Part;
import dev.tributary.relay.setup.ParkedAggregates;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A replayed topic holds what committed before its LSN, each event once and in order, and live events go on there. */
@Timeout(600)
class ReplayIT extends ReplayFixture {
    private volatile boolean stopping;

    @Test
    void aHistoryEndsExactlyWhereLiveEventsGoOn() throws Exception {
        source.startRelay();
        List<Thread> nested = new ArrayList<>();
        for (int millis : List.of(20, 35, 60)) {
            nested.add(new Thread(() -> publishInSavepoints(millis), "nested-" + millis));
        }
        nested.forEach(Thread::start);
        try (WritersUnderTest writers = new WritersUnderTest(source, 1)) {
            appendAndPublish("store", 50);
            await().atMost(SOON).until(() -> writers.commits() > 100);
            assertThat(replay.begin())
                    .anyMatch(line -> line.contains(" to replay to topic " + replay.topic))
                    .anyMatch(line -> line.contains("live events go on at "));
            Replay first = replay.checkSeam();
            long before = writers.commits();
            await().atMost(SOON).until(() -> writers.commits() > before + 50);
            appendAndPublish("store", 20);

            assertThatThrownBy(() -> replay.begin())
                    .isInstanceOf(RelayException.Stopped.class)
                    .hasMessageContaining("holds a replay already, which is complete");
            replay.resume();
            Replay second = replay.checkSeam();
            assertThat(second.lsn()).isGreaterThan(first.lsn());
        } finally {
            stopping = true;
            for (Thread thread : nested) {
                thread.join();
            }
        }
        replay.resume();
        source.topics.awaitExactly(source);
        replay.checkSeam();
        assertThat(replay.ids()).hasSize(source.committed().size());
        assertThat(source.text("SELECT count(*) FROM pg_replication_slots")).isNotEqualTo("0");
        // Temporary ones, which go a moment after the session's client has
        await().until(() -> source.text(
                        "SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE 'tributary_replay%'")
                .equals("0"));
    }

    /** Rows with the ids of subtransactions, of transactions that are under way when a snapshot is taken. */
    private void publishInSavepoints(int millis) {
        try (Connection connection = source.connect()) {
            connection.setAutoCommit(false);
            while (!stopping) {
                SourceUnderTest.run(connection, ReplayUnderTest.publishing("nested-" + millis));
                SourceUnderTest.run(connection, "SAVEPOINT s");
                SourceUnderTest.run(connection, ReplayUnderTest.publishing("nested-" + millis));
                SourceUnderTest.run(connection, "RELEASE s");
                SourceUnderTest.run(connection, "SELECT pg_sleep(" + millis + " / 1000.0)");
                connection.commit();
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private void appendAndPublish(String aggregate, int times) throws SQLException {
        source.execute("SELECT tributary.append('ledger', '" + aggregate
                + "' || i % 5, NULL, 'ledger.booked.v1', '{\"n\":1}'), tributary.publish('ledger', '" + aggregate
                + "' || i % 5, 'ledger.noted.v1', '{\"n\":2}') FROM generate_series(1, " + times + ") i");
    }

    @Test
    void whatIsSetAsideComesWithLiveEventsOnceItIsReleased() throws Exception {
        source.config = source.config.withPoison(SourceConfig.Poison.DEAD_LETTER);
        source.kafkaProperties.put("max.request.size", 20_000);
        Relay relay = source.startRelay();
        replay.publish("early", 1);
        publishLarge("early");
        replay.publish("early", 2);
        publishLarge("late");
        replay.publish("late", 2);
        replay.publish("fine", 2);
        await().atMost(SOON).until(() -> source.text("SELECT count(*) FROM tributary.dead_letter")
                .equals("6"));
        relay.close();
        source.kafkaProperties.remove("max.request.size");
        source.startRelay();
        release("order/early");
        await().atMost(SOON).until(() -> source.topics.size() >= 6);
        replay.begin();
        release("order/late");
        await().atMost(SOON).until(() -> source.topics.size() >= 9);
        replay.checkSeam();
        assertThat(replay.ids()).hasSize(6);
    }

    private void publishLarge(String aggregate) throws SQLException {
        source.execute("SELECT tributary.publish('order', '" + aggregate
                + "', 'order.placed.v1', (SELECT json_build_object('x', string_agg(gen_random_uuid()::text, ''))"
                + " FROM generate_series(1, 1000)))");
    }

    private void release(String aggregate) {
        int slash = aggregate.indexOf('/');
        new ParkedAggregates(source.config).release(aggregate.substring(0, slash), aggregate.substring(slash + 1));
    }

    @Test
    void whatRetentionHasDroppedInBetweenIsNoSilentHole() throws Exception {
        source.config = source.config.withRetention(
                new RetentionSettings(Duration.ofSeconds(2), Duration.ofSeconds(1), 3, Duration.ofSeconds(2)));
        source.startRelay();
        try (Connection dump = source.connect()) {
            holdPartitions(dump);
            replay.publish("a", 30);
            awaitSealed(3);
            try (JavaProcess process = replay.start(2)) {
                await().atMost(SOON).until(() -> replay.noted() != null);
                process.kill();
            }
        }
        await().atMost(SOON).until(() -> dropped() > 0);
        assertThatThrownBy(() -> replay.resume())
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("events that were still to be replayed are not there any more")
                .hasMessageContaining("since the replay was begun at ");
        assertThat(replay.noted().complete()).isFalse();
        assertThat(replay.resumeAcceptingLoss()).anyMatch(line -> line.startsWith("accepted: "));
        await().atMost(SOON).until(() -> replay.noted().complete());

        ReplayUnderTest again = replay.beside("again");
        long before = dropped();
        try (Connection dump = source.connect()) {
            holdPartitions(dump);
            awaitSealed(2);
            awaitRest();
            assertThat(again.begin())
                    .anyMatch(line -> line.matches("not there any more, and so not replayed: \\d+ events of order"));
        }
        await().atMost(SOON).until(() -> dropped() > before);
        long end = again.noted().lsn();
        assertThat(dropped()).isLessThan(end);
        again.resume(); // had all that was dropped
        await().atMost(SOON)
                .until(() -> again.noted().complete() && again.noted().lsn() > end);

        Options ledger = part(again, "ledger");
        Options note = part(again, "note");
        append("ledger", 3);
        source.execute(
                "INSERT INTO tributary.outbox (id, aggregate_type, aggregate_id, type, content_type,"
                        + " payload, occurred_at) VALUES (gen_random_uuid(), 'note', 'n', 'n.v1', 'application/json', '{}', now())");
        ReplayProcess.run(source, ledger);
        ReplayProcess.run(source, note);
        await().atMost(SOON).until(() -> {
            replay.publish("a", 1);
            return dropped() > again.beside("note").noted().lsn();
        });
        assertThatThrownBy(() -> again.resume())
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("so what is added to it would have a hole")
                .hasMessageContaining(" events of order");
        append("ledger", 2);
        assertThat(ReplayProcess.run(source, ReplayProcess.resuming(ledger)))
                .anyMatch(line -> line.contains("of those that were asked for all sequences are there"))
                .anyMatch(line -> line.startsWith("2 events: 2 of ledger to replay"));
        assertThatThrownBy(() -> ReplayProcess.run(source, ReplayProcess.resuming(note)))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("but some have none")
                .satisfies(refused -> assertThat(((RelayException) refused).remedy())
                        .contains("If the service has published none without a sequence since"));
        assertThat(ReplayProcess.run(source, ReplayProcess.accepting(note)))
                .anyMatch(line -> line.startsWith("accepted: "));
    }

    private static Options part(ReplayUnderTest beside, String type) {
        return ReplayProcess.part(beside.beside(type).topic, new Part(Set.of(type), null, null, null, null, null));
    }

    /** To the event store. */
    private void append(String type, int times) throws SQLException {
        source.execute("SELECT tributary.append('" + type + "', 'x' || i % 2, NULL, 'a.v1', '{}')"
                + " FROM generate_series(1, " + times + ") i");
    }

    /** As a dump does: partitions are sealed, and cannot be detached. */
    private static void holdPartitions(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        SourceUnderTest.run(connection, "LOCK TABLE ONLY tributary.outbox IN ACCESS SHARE MODE");
    }

    private void awaitSealed(int partitions) {
        await().atMost(SOON).until(() -> {
            replay.publish("a", 1);
            return Integer.parseInt(source.text(
                            "SELECT count(*) FROM tributary.outbox_partition WHERE sealed_size > 0 AND NOT detached"))
                    >= partitions;
        });
    }

    /** Until nothing is written to, and everything is sealed. */
    private void awaitRest() {
        await().atMost(SOON)
                .until(() -> source.text("SELECT count(*) FROM tributary.outbox_partition WHERE sealed_lsn IS NULL"
                                + " AND pg_relation_size(to_regclass('tributary.' || name)) > 0")
                        .equals("0"));
    }

    /** The LSN up to which retention has dropped events. */
    private long dropped() throws SQLException {
        return Long.parseLong(
                source.text("SELECT coalesce(max(lsn) - '0/0', 0)::bigint FROM tributary.outbox_dropped"));
    }

    @Test
    void aPartIsReplayedAndSaysThatItIsOne() throws Exception {
        Instant since = publishSevenInTwoSteps();
        Set<String> types = Set.of("order");

        replay.begin(new Part(types, "a", null, null, null, null));
        assertThat(replay.records()).hasSize(4).allMatch(record -> header(record, "ce_subject")
                .equals("order/a"));
        assertThat(replay.noted().live()).isEmpty();
        Part another = new Part(types, "b", null, null, null, null);
        assertThatThrownBy(() ->
                        ReplayProcess.run(source, ReplayProcess.resuming(ReplayProcess.part(replay.topic, another))))
                .hasMessageContaining("holds a replay of other events: --aggregate order/a");
        assertThatThrownBy(() -> replay.beside("typo").begin(new Part(Set.of("ordr"), null, null, null, null, null)))
                .hasMessageContaining("there are no events of --aggregate-type ordr in source ");
        assertThat(replayed("since", new Part(types, null, since, null, null, null)))
                .hasSize(1);
        assertThat(replayed("until", new Part(Set.of(), null, null, since, null, null)))
                .hasSize(6);

        ReplayUnderTest ofType = replay.beside("type");
        Part orders = new Part(types, null, null, null, null, null);
        assertThat(ReplayProcess.run(source, new Options(ofType.topic, orders, Long.MAX_VALUE, false, false, true)))
                .anyMatch(line -> line.contains("would replay 6 events: 6 of order to topic " + ofType.topic));
        assertThat(ofType.noted()).isNull();
        ofType.begin(orders);
        assertThat(ofType.noted().live().keySet()).containsExactly(source.config.name() + ".order");
    }

    @Test
    void aRangeOfPositionsIsReplayedIfLiveTopicsReachBackToIt() throws Exception {
        publishSevenInTwoSteps();
        List<Position> positions = source.topics.records().stream()
                .map(record -> Position.parse(header(record, "ce_position")))
                .sorted()
                .toList();
        assertThat(replayed("from", new Part(Set.of(), null, null, null, positions.get(2), null)))
                .hasSize(5);
        assertThat(replayed("to", new Part(Set.of(), null, null, null, null, positions.get(2))))
                .hasSize(3);
        assertThat(replayed("between", new Part(Set.of(), null, null, null, positions.get(1), positions.get(3))))
                .hasSize(3);
        try (Admin admin = replay.admin()) {
            TopicPartition cut = source.topics.records().stream()
                    .filter(record ->
                            Position.parse(header(record, "ce_position")).equals(positions.get(2)))
                    .map(record -> new TopicPartition(record.topic(), record.partition()))
                    .findFirst()
                    .orElseThrow();
            admin.deleteRecords(Map.of(cut, RecordsToDelete.beforeOffset(-1)))
                    .all()
                    .get();
        }
        assertThatThrownBy(() -> replayed("deleted", new Part(Set.of(), null, null, null, positions.get(1), null)))
                .hasMessageContaining("cannot be told any more");
    }

    /** Seven events, all of them live when it returns, and a time between the sixth and the last. */
    private Instant publishSevenInTwoSteps() throws Exception {
        source.startRelay();
        replay.publish("a", 3);
        replay.publish("b", 2);
        source.execute("SELECT tributary.publish('customer', 'a', 'customer.registered.v1', '{}')");
        Instant beforeTheLast = Instant.parse(source.text(
                "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"));
        replay.publish("a", 1);
        source.topics.awaitExactly(source);
        return beforeTheLast;
    }

    /** To a topic of its own. */
    private List<ConsumerRecord<byte[], byte[]>> replayed(String suffix, Part part) throws SQLException {
        ReplayUnderTest other = replay.beside(suffix);
        other.begin(part);
        return other.records();
    }

    @Test
    void aTopicThatIsSomethingElseIsLeftAlone() throws Exception {
        source.startRelay();
        replay.publish("a", 3);
        source.topics.awaitExactly(source);
        assertThatThrownBy(() -> ReplayProcess.run(source, ReplayProcess.all(source.config.name() + ".history")))
                .hasMessageContaining("is named like those that live events go to");

        try (SourceUnderTest other = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared())) {
            String theirs = other.config.name() + ".order";
            other.startRelay();
            other.execute(ReplayUnderTest.publishing("x"));
            other.topics.awaitExactly(other);
            assertThatThrownBy(() -> ReplayProcess.run(source, ReplayProcess.all(theirs)))
                    .hasMessageContaining("exists, and what it holds is no replay");
            ReplayProcess.run(other, ReplayProcess.all(replay.topic));
            assertThatThrownBy(() -> replay.resume())
                    .hasMessageContaining("holds the history of source " + other.config.name());
        }
        try (Admin admin = replay.admin()) {
            admin.deleteTopics(Set.of(replay.topic)).all().get();
            await().atMost(SOON).until(() -> !admin.listTopics().names().get().contains(replay.topic));
            admin.createTopics(List.of(new NewTopic(replay.topic, 2, (short) 1)))
                    .all()
                    .get();
        }
        replay.begin();
        assertThat(replay.records()).hasSize(3);
        replay.checkSeam();
    }

    @Test
    void theHistoryOfASourceWithoutEventsIsNoPart() throws Exception {
        source.startRelay();
        assertThat(replay.begin()).anyMatch(line -> line.contains("add to it with --resume once there is a topic"));
        assertThat(replay.noted().isPart()).isFalse();
        replay.publish("a", 1);
        replay.resume();
        replay.checkSeam();
    }
}
