package dev.tributary.relay;

import static dev.tributary.relay.TopicsUnderTest.header;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.retention.RetentionSettings;
import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.Replay;
import dev.tributary.relay.cli.RelayCommand;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.replay.HistoryReplay;
import dev.tributary.relay.replay.HistoryReplay.Account;
import dev.tributary.relay.replay.HistoryReplay.Options;
import dev.tributary.relay.replay.HistoryReplay.Progress;
import dev.tributary.relay.replay.Part;
import dev.tributary.relay.setup.ParkedAggregates;
import dev.tributary.relay.sink.ReplayTopic;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A replayed topic holds what committed before its LSN, each event once and in order, and live events go on there. */
@Timeout(600)
class ReplayIT {
    private static final Duration SOON = Duration.ofMinutes(2);

    private SourceUnderTest source;
    private String topic;
    private volatile boolean stopping;

    @BeforeEach
    void open() throws SQLException {
        source = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared());
        topic = "replay-" + source.config.name();
    }

    @AfterEach
    void close() throws Exception {
        source.close();
        try (Admin admin = admin()) {
            Set<String> names = new HashSet<>(admin.listTopics().names().get());
            names.removeIf(name -> !name.startsWith(topic));
            admin.deleteTopics(names).all().get();
        }
    }

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
            assertThat(ReplayProcess.run(source, ReplayProcess.all(topic)))
                    .anyMatch(line -> line.contains(" to replay to topic " + topic))
                    .anyMatch(line -> line.contains("live events go on at "));
            Replay first = checkSeam();
            long before = writers.commits();
            await().atMost(SOON).until(() -> writers.commits() > before + 50);
            appendAndPublish("store", 20);

            assertThatThrownBy(() -> ReplayProcess.run(source, ReplayProcess.all(topic)))
                    .isInstanceOf(RelayException.Stopped.class)
                    .hasMessageContaining("holds a replay already, which is complete");
            ReplayProcess.run(source, ReplayProcess.resuming(ReplayProcess.all(topic)));
            Replay second = checkSeam();
            assertThat(second.lsn()).isGreaterThan(first.lsn());
        } finally {
            stopping = true;
            for (Thread thread : nested) {
                thread.join();
            }
        }
        ReplayProcess.run(source, ReplayProcess.resuming(ReplayProcess.all(topic)));
        source.topics.awaitExactly(source);
        checkSeam();
        assertThat(ids(replayed())).hasSize(source.committed().size());
        assertThat(source.text("SELECT count(*) FROM pg_replication_slots")).isNotEqualTo("0");
        // Temporary ones, which go a moment after the session's client has
        await().until(() -> source.text(
                        "SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE 'tributary_replay%'")
                .equals("0"));
    }

    @Test
    void aReplayThatIsKilledGoesOnWhereItWas() throws Exception {
        source.startRelay();
        source.execute("SELECT tributary.publish('order', (i % 50)::text, 'order.placed.v1', '{}')"
                + " FROM generate_series(1, 15000) i");
        try (WritersUnderTest writers = new WritersUnderTest(source, 1)) {
            try (JavaProcess replay = ReplayProcess.start(source, topic, 700)) {
                await().atMost(SOON).until(() -> noted() != null && replayed().size() > 1_000);
                replay.kill();
            }
            assertThat(noted().complete()).isFalse();
            long before = writers.commits();
            await().atMost(SOON).until(() -> writers.commits() > before + 50);

            assertThatThrownBy(() -> ReplayProcess.run(source, ReplayProcess.all(topic)))
                    .hasMessageContaining("holds a replay that was not finished");
            assertThat(ReplayProcess.run(source, ReplayProcess.resuming(ReplayProcess.all(topic))))
                    .anyMatch(line -> line.startsWith("going on behind "))
                    .noneMatch(line -> line.startsWith("going on behind 0 "));
            checkSeam();
        }
        source.topics.awaitExactly(source);
    }

    @Test
    @Timeout(180)
    void aReplayWhoseKafkaClientSaysNothingAnyMoreEndsAndIsGoneOnWith() throws Exception {
        source.startRelay();
        publish("a", 3);
        source.topics.awaitExactly(source);
        Map<String, Object> deadly = Map.of(
                "interceptor.classes",
                DeadlyInterceptor.class.getName(),
                "delivery.timeout.ms",
                2_000,
                "request.timeout.ms",
                1_000);
        source.kafkaProperties.putAll(deadly);
        DeadlyInterceptor.DUE.set(topic);
        assertThatThrownBy(() -> ReplayProcess.run(source, ReplayProcess.all(topic)))
                .isExactlyInstanceOf(RelayException.class)
                .hasMessageContaining("the Kafka client has not said for 7 s whether events were taken")
                .satisfies(failure ->
                        assertThat(((RelayException) failure).remedy()).contains("--resume"));
        assertThat(DeadlyInterceptor.DUE).hasNullValue();
        source.kafkaProperties.keySet().removeAll(deadly.keySet());
        ReplayProcess.run(source, ReplayProcess.resuming(ReplayProcess.all(topic)));
        checkSeam();
    }

    @Test
    void aReplayThatIsAskedToEndSaysHowToGoOn(@TempDir Path directory) throws Exception {
        source.startRelay();
        source.execute("SELECT tributary.publish('order', (i % 5)::text, 'order.placed.v1', '{}')"
                + " FROM generate_series(1, 200) i");
        source.topics.awaitExactly(source);
        Path config = Files.writeString(directory.resolve("relay's.yaml"), configuration());
        List<String> output = new CopyOnWriteArrayList<>();
        String[] slowly = {
            "replay",
            "--config",
            config.toString(),
            "--source",
            source.config.name(),
            "--topic",
            topic,
            "--events-per-second",
            "5"
        };
        try (JavaProcess replay = command(output, slowly)) {
            await().atMost(SOON).until(() -> noted() != null);
            replay.terminate();
            assertThat(replay.waitFor(SOON)).isTrue();
            assertThat(replay.exitCode()).as("as the shell tells of SIGTERM").isEqualTo(143);
        }
        String hint = "stopped; go on with: relay replay --config '" + directory + "/relay'\\''s.yaml' --source "
                + source.config.name() + " --topic " + topic + " --events-per-second 5 --resume";
        assertThat(output).contains(hint);
        assertThat(noted().complete()).isFalse();

        String[] asHinted = {
            "replay",
            "--config",
            config.toString(),
            "--source",
            source.config.name(),
            "--topic",
            topic,
            "--events-per-second",
            "5000",
            "--resume"
        };
        output.clear();
        try (JavaProcess replay = command(output, asHinted)) {
            assertThat(replay.waitFor(SOON)).isTrue();
            assertThat(replay.exitCode()).isZero();
        }
        assertThat(output).noneMatch(line -> line.contains("stopped"));
        checkSeam();
    }

    private static JavaProcess command(List<String> output, String... arguments) {
        return JavaProcess.main(RelayCommand.class)
                .jvmArgs("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                .args(arguments)
                .output(output::add)
                .start();
    }

    private String configuration() {
        return """
                relay:
                  kafka:
                    bootstrap.servers: %s
                  sources:
                    %s:
                      url: %s
                      username: %s
                      password: %s
                """.formatted(
                        source.kafkaProperties.get("bootstrap.servers"),
                        source.config.name(),
                        source.config.url(),
                        source.config.username(),
                        source.config.password());
    }

    @Test
    void whatIsSetAsideComesWithLiveEventsOnceItIsReleased() throws Exception {
        source.config = source.config.withPoison(SourceConfig.Poison.DEAD_LETTER);
        source.kafkaProperties.put("max.request.size", 20_000);
        Relay relay = source.startRelay();
        publish("early", 1);
        publishLarge("early");
        publish("early", 2);
        publishLarge("late");
        publish("late", 2);
        publish("fine", 2);
        await().atMost(SOON).until(() -> source.text("SELECT count(*) FROM tributary.dead_letter")
                .equals("6"));
        relay.close();
        source.kafkaProperties.remove("max.request.size");
        source.startRelay();
        release("order/early");
        await().atMost(SOON).until(() -> source.topics.size() >= 6);
        ReplayProcess.run(source, ReplayProcess.all(topic));
        release("order/late");
        await().atMost(SOON).until(() -> source.topics.size() >= 9);
        checkSeam();
        assertThat(ids(replayed())).hasSize(6);
    }

    @Test
    void whatRetentionHasDroppedInBetweenIsNoSilentHole() throws Exception {
        source.config = source.config.withRetention(
                new RetentionSettings(Duration.ofSeconds(2), Duration.ofSeconds(1), 3, Duration.ofSeconds(2)));
        source.startRelay();
        try (Connection dump = source.connect()) {
            holdPartitions(dump);
            publish("a", 30);
            awaitSealed(3);
            try (JavaProcess replay = ReplayProcess.start(source, topic, 2)) {
                await().atMost(SOON).until(() -> noted() != null);
                replay.kill();
            }
        }
        await().atMost(SOON).until(() -> dropped() > 0);
        assertThatThrownBy(() -> ReplayProcess.run(source, ReplayProcess.resuming(ReplayProcess.all(topic))))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("events that were still to be replayed are not there any more")
                .hasMessageContaining("since the replay was begun at ");
        assertThat(noted().complete()).isFalse();
        assertThat(ReplayProcess.run(source, ReplayProcess.accepting(ReplayProcess.all(topic))))
                .anyMatch(line -> line.startsWith("accepted: "));
        await().atMost(SOON).until(() -> noted().complete());

        String first = topic;
        topic = first + "-again";
        long before = dropped();
        try (Connection dump = source.connect()) {
            holdPartitions(dump);
            awaitSealed(2);
            awaitRest();
            assertThat(ReplayProcess.run(source, ReplayProcess.all(topic)))
                    .anyMatch(line -> line.matches("not there any more, and so not replayed: \\d+ events of order"));
        }
        await().atMost(SOON).until(() -> dropped() > before);
        long end = noted().lsn();
        assertThat(dropped()).isLessThan(end);
        ReplayProcess.run(source, ReplayProcess.resuming(ReplayProcess.all(topic))); // had all that was dropped
        await().atMost(SOON).until(() -> noted().complete() && noted().lsn() > end);

        await().atMost(SOON).until(() -> {
            publish("a", 1);
            return dropped() > noted().lsn();
        });
        assertThatThrownBy(() -> ReplayProcess.run(source, ReplayProcess.resuming(ReplayProcess.all(topic))))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("so what is added to it would have a hole")
                .hasMessageContaining(" events of order");
        topic = first;
    }

    /** As a dump does: partitions are sealed, and cannot be detached. */
    private static void holdPartitions(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        SourceUnderTest.run(connection, "LOCK TABLE ONLY tributary.outbox IN ACCESS SHARE MODE");
    }

    private void awaitSealed(int partitions) {
        await().atMost(SOON).until(() -> {
            publish("a", 1);
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
        source.startRelay();
        publish("a", 3);
        publish("b", 2);
        source.execute("SELECT tributary.publish('customer', 'a', 'customer.registered.v1', '{}')");
        Instant since = Instant.parse(source.text(
                "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"));
        publish("a", 1);
        Set<String> types = Set.of("order");
        source.topics.awaitExactly(source);

        replay(new Part(types, "a", null, null, null, null));
        assertThat(replayed()).hasSize(4).allMatch(record -> header(record, "ce_subject")
                .equals("order/a"));
        assertThat(noted().live()).isEmpty();
        Part another = new Part(types, "b", null, null, null, null);
        assertThatThrownBy(() -> ReplayProcess.run(source, ReplayProcess.resuming(ReplayProcess.part(topic, another))))
                .hasMessageContaining("holds a replay of other events: --aggregate order/a");

        String other = topic;
        topic = other + "-since";
        assertThatThrownBy(() -> replay(new Part(Set.of("ordr"), null, null, null, null, null)))
                .hasMessageContaining("there are no events of --aggregate-type ordr in source ");
        replay(new Part(types, null, since, null, null, null));
        assertThat(replayed()).hasSize(1);
        topic = other + "-until";
        replay(new Part(Set.of(), null, null, since, null, null));
        assertThat(replayed()).hasSize(6);
        topic = other + "-type";
        Part orders = new Part(types, null, null, null, null, null);
        assertThat(ReplayProcess.run(source, new Options(topic, orders, Long.MAX_VALUE, false, false, true)))
                .anyMatch(line -> line.contains("would replay 6 events: 6 of order to topic " + topic));
        assertThat(noted()).isNull();
        replay(orders);
        assertThat(noted().live().keySet()).containsExactly(source.config.name() + ".order");

        List<Position> positions = source.topics.records().stream()
                .map(record -> Position.parse(header(record, "ce_position")))
                .sorted()
                .toList();
        topic = other + "-from";
        replay(new Part(Set.of(), null, null, null, positions.get(2), null));
        assertThat(replayed()).hasSize(5);
        topic = other + "-to";
        replay(new Part(Set.of(), null, null, null, null, positions.get(2)));
        assertThat(replayed()).hasSize(3);
        topic = other + "-between";
        replay(new Part(Set.of(), null, null, null, positions.get(1), positions.get(3)));
        assertThat(replayed()).hasSize(3);
        topic = other + "-deleted";
        try (Admin admin = admin()) {
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
        assertThatThrownBy(() -> replay(new Part(Set.of(), null, null, null, positions.get(1), null)))
                .hasMessageContaining("cannot be told any more");
        topic = other;
    }

    @Test
    void aTopicThatIsSomethingElseIsLeftAlone() throws Exception {
        source.startRelay();
        publish("a", 3);
        source.topics.awaitExactly(source);
        assertThatThrownBy(() -> ReplayProcess.run(source, ReplayProcess.all(source.config.name() + ".history")))
                .hasMessageContaining("is named like those that live events go to");

        try (SourceUnderTest other = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared())) {
            String theirs = other.config.name() + ".order";
            other.startRelay();
            other.execute(publishing("x"));
            other.topics.awaitExactly(other);
            assertThatThrownBy(() -> ReplayProcess.run(source, ReplayProcess.all(theirs)))
                    .hasMessageContaining("exists, and what it holds is no replay");
            ReplayProcess.run(other, ReplayProcess.all(topic));
            assertThatThrownBy(() -> ReplayProcess.run(source, ReplayProcess.resuming(ReplayProcess.all(topic))))
                    .hasMessageContaining("holds the history of source " + other.config.name());
        }
        try (Admin admin = admin()) {
            admin.deleteTopics(Set.of(topic)).all().get();
            await().atMost(SOON).until(() -> !admin.listTopics().names().get().contains(topic));
            admin.createTopics(List.of(new NewTopic(topic, 2, (short) 1))).all().get();
        }
        ReplayProcess.run(source, ReplayProcess.all(topic));
        assertThat(replayed()).hasSize(3);
        checkSeam();
    }

    @Test
    void ofTwoThatBeginAtOnceOneWrites() throws Exception {
        source.startRelay();
        publish("a", 3);
        Options all = ReplayProcess.all(topic);
        assertThatThrownBy(() -> runAfter(all, () -> ReplayProcess.run(source, all)))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("another `replay` has written to topic " + topic);
        checkSeam();
        publish("a", 2);
        Options more = ReplayProcess.resuming(all);
        assertThatThrownBy(() -> runAfter(more, () -> ReplayProcess.run(source, more)))
                .hasMessageContaining("another `replay` has written to topic " + topic);
        checkSeam();
        assertThat(replayed()).hasSize(5);
    }

    /** Runs a replay, and something else when it is about to write. */
    private void runAfter(Options options, ThrowingCallable other) throws SQLException {
        Account account = new Account() {
            @Override
            public void say(String line) {
                if (line.contains(" to replay to topic ")) {
                    assertThatCode(other).doesNotThrowAnyException();
                }
            }

            @Override
            public void progress(Progress progress) {}
        };
        new HistoryReplay(source.config, source.kafkaProperties, options, account).run();
    }

    @Test
    void theHistoryOfASourceWithoutEventsIsNoPart() throws Exception {
        source.startRelay();
        assertThat(ReplayProcess.run(source, ReplayProcess.all(topic)))
                .anyMatch(line -> line.contains("add to it with --resume once there is a topic"));
        assertThat(noted().isPart()).isFalse();
        publish("a", 1);
        ReplayProcess.run(source, ReplayProcess.resuming(ReplayProcess.all(topic)));
        checkSeam();
    }

    /**
     * In the topic is what has a live position before the seam, each event once and each aggregate's by sequence; and what has
     * a later one lies behind the offsets at which live events go on.
     */
    private Replay checkSeam() throws Exception {
        await().atMost(SOON).until(() -> noted().complete()); // Kafka shows a moment late what it has committed
        Replay noted = noted();
        // Read after the replay, and so with everything that it holds, as the relay was past its end by then
        Map<String, ConsumerRecord<byte[], byte[]>> live = new HashMap<>();
        source.topics.forEachRecord(record -> live.put(header(record, "ce_id"), record));
        Set<String> expected = new HashSet<>();
        live.forEach((id, record) -> {
            if (Position.parse(header(record, "ce_position")).isAfter(noted.last())) {
                Replay.Live goesOn = Objects.requireNonNull(noted.live().get(record.topic()));
                assertThat(record.offset())
                        .isGreaterThanOrEqualTo(goesOn.offsets().getOrDefault(record.partition(), 0L));
            } else {
                expected.add(id);
            }
        });
        List<ConsumerRecord<byte[], byte[]>> history = replayed();
        assertThat(ids(history)).isEqualTo(expected);
        assertThat(history).hasSameSizeAs(expected);
        checkOrder(history, live);
        history.forEach(record ->
                assertThat(noted.ends().getOrDefault(record.partition(), 0L)).isGreaterThan(record.offset()));
        return noted;
    }

    private static void checkOrder(
            List<ConsumerRecord<byte[], byte[]>> history, Map<String, ConsumerRecord<byte[], byte[]>> live) {
        Map<String, Long> sequences = new HashMap<>();
        Map<TopicPartition, Position> positions = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : history) {
            ConsumerRecord<byte[], byte[]> original = Objects.requireNonNull(live.get(header(record, "ce_id")));
            assertThat(header(record, "ce_replayof")).isEqualTo(original.topic());
            assertThat(record.value()).isEqualTo(original.value());
            assertThat(record.key()).isEqualTo(original.key());
            for (String same : List.of("ce_type", "ce_subject", "ce_time", "ce_source", "content-type")) {
                assertThat(header(record, same)).isEqualTo(header(original, same));
            }
            Position position = Position.parse(header(record, "ce_position"));
            Position before = positions.put(new TopicPartition(record.topic(), record.partition()), position);
            assertThat(before == null || position.isAfter(before)).isTrue();
            if (record.headers().lastHeader("ce_sequence") != null) {
                long sequence = Long.parseLong(header(record, "ce_sequence"));
                Long last = sequences.put(header(record, "ce_subject"), sequence);
                assertThat(sequence).as(header(record, "ce_subject")).isEqualTo(last == null ? 1 : last + 1);
            }
        }
    }

    private static Set<String> ids(List<ConsumerRecord<byte[], byte[]>> records) {
        return records.stream().map(record -> header(record, "ce_id")).collect(Collectors.toSet());
    }

    private Replay noted() {
        try (ReplayTopic replayed = new ReplayTopic(source.kafkaProperties, topic)) {
            return replayed.noted();
        }
    }

    /** What counts of the topic, partition by partition in order; waits until what has been committed is shown. */
    private List<ConsumerRecord<byte[], byte[]>> replayed() {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> all = consumer("read_uncommitted");
                KafkaConsumer<byte[], byte[]> consumer = consumer("read_committed")) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            consumer.assign(partitions);
            Map<TopicPartition, Long> ends = all.endOffsets(partitions);
            consumer.seekToBeginning(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                consumer.poll(Duration.ofMillis(100)).forEach(records::add);
            }
        }
        return records;
    }

    private KafkaConsumer<byte[], byte[]> consumer(String isolation) {
        Map<String, Object> properties = Map.of(
                "bootstrap.servers",
                source.kafkaProperties.get("bootstrap.servers"),
                "auto.offset.reset",
                "earliest",
                "isolation.level",
                isolation);
        return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private void replay(Part part) throws SQLException {
        ReplayProcess.run(source, ReplayProcess.part(topic, part));
    }

    private Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", source.kafkaProperties.get("bootstrap.servers")));
    }

    private void appendAndPublish(String aggregate, int times) throws SQLException {
        source.execute("SELECT tributary.append('ledger', '" + aggregate
                + "' || i % 5, NULL, 'ledger.booked.v1', '{\"n\":1}'), tributary.publish('ledger', '" + aggregate
                + "' || i % 5, 'ledger.noted.v1', '{\"n\":2}') FROM generate_series(1, " + times + ") i");
    }

    private void publish(String aggregate, int times) throws SQLException {
        for (int i = 0; i < times; i++) {
            source.execute(publishing(aggregate));
        }
    }

    private void publishLarge(String aggregate) throws SQLException {
        source.execute("SELECT tributary.publish('order', '" + aggregate
                + "', 'order.placed.v1', (SELECT json_build_object('x', string_agg(gen_random_uuid()::text, ''))"
                + " FROM generate_series(1, 1000)))");
    }

    /** Rows with the ids of subtransactions, of transactions that are under way when a snapshot is taken. */
    private void publishInSavepoints(int millis) {
        try (Connection connection = source.connect()) {
            connection.setAutoCommit(false);
            while (!stopping) {
                SourceUnderTest.run(connection, publishing("nested-" + millis));
                SourceUnderTest.run(connection, "SAVEPOINT s");
                SourceUnderTest.run(connection, publishing("nested-" + millis));
                SourceUnderTest.run(connection, "RELEASE s");
                SourceUnderTest.run(connection, "SELECT pg_sleep(" + millis + " / 1000.0)");
                connection.commit();
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String publishing(String aggregate) {
        return "SELECT tributary.publish('order', '" + aggregate + "', 'order.placed.v1', '{}')";
    }

    private void release(String aggregate) {
        int slash = aggregate.indexOf('/');
        new ParkedAggregates(source.config).release(aggregate.substring(0, slash), aggregate.substring(slash + 1));
    }
}
