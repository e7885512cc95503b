package dev.tributary.samples.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.tributary.consumer.ConsumerSchema;
import dev.tributary.consumer.view.VersionState;
import dev.tributary.consumer.view.View;
import dev.tributary.consumer.view.ViewStatus;
import dev.tributary.localstack.FreePort;
import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A view is built from a replay, and goes on with live events, each once, though Kafka keeps next to nothing of them. */
@Timeout(900)
class HistoryThenLiveIT {
    private static final Path RELAY_JAR = Path.of("../../relay/target/relay.jar");
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private final String source = "s" + UUID.randomUUID().toString().substring(0, 8);
    private final String replay = "replay-of-" + source;
    private final String kafka = LocalKafka.shared().bootstrapServers();
    private final String sourceUrl = LocalPostgres.shared().createDatabase("source");
    private final String viewUrl = LocalPostgres.shared().createDatabase("view");
    private final HikariDataSource database = ReplayedViewProcess.pool(viewUrl);
    private final AtomicLong written = new AtomicLong();
    private final Thread writer = new Thread(this::write, "writer");
    private volatile boolean stopping;
    private JavaProcess relay;
    private View view;

    @TempDir
    private Path directory;

    @BeforeEach
    void start() throws IOException, SQLException {
        Files.writeString(directory.resolve("relay.yaml"), """
                relay:
                  kafka: { bootstrap.servers: "%s" }
                  http: { host: 127.0.0.1, port: %d }
                  sources:
                    %s: { url: "%s", username: %s, password: %s }
                """.formatted(
                        kafka, FreePort.next(), source, sourceUrl, LocalPostgres.USER, LocalPostgres.PASSWORD));
        try (Connection connection = LocalPostgres.shared().connect(sourceUrl)) {
            OutboxSchema.apply(connection);
        }
        try (Connection connection = database.getConnection()) {
            ConsumerSchema.apply(connection);
        }
        run("init");
        relay = relay("run").start();
    }

    @AfterEach
    void stop() throws Exception {
        stopping = true;
        writer.join();
        if (view != null) {
            view.close();
        }
        relay.close();
        database.close();
        LocalPostgres.shared().dropDatabase(viewUrl);
        try (Connection connection = LocalPostgres.shared().connect(sourceUrl);
                Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                    + " WHERE database = current_database() AND NOT active");
        }
        LocalPostgres.shared().dropDatabase(sourceUrl);
        try (Admin admin = admin()) {
            admin.deleteTopics(Set.of(replay)).all().get();
        }
    }

    @Test
    void eachEventComesOnceFromTheReplayOrLive() throws Exception {
        view = ReplayedViewProcess.start(kafka, database, source, "", Long.MAX_VALUE);
        execute(
                "SELECT tributary.publish(CASE WHEN i % 2 = 0 THEN 'left' ELSE 'right' END, 'a' || i % 200, 'value.set.v1',"
                        + " '1') FROM generate_series(1, 3000) i");
        writer.start();
        awaitApplied(1, 3_000);
        deleteWhatVersion1HasApplied();
        run("replay", "--source", source, "--topic", replay);
        long atReplay = written.get();
        await().atMost(PATIENCE).until(() -> written.get() > atReplay + 50);
        view.close();

        try (JavaProcess killed = ReplayedViewProcess.fork(viewUrl, source, replay, 150)) {
            awaitApplied(2, 250);
            awaitApplied(1, 3_000 + atReplay + 50);
            killed.kill();
        }
        deleteWhatVersion1HasApplied(); // with it what was to come behind the replay
        long atKill = number("SELECT count(*) FROM totals_v2.applied");
        assertThat(atKill).as("killed half-way").isLessThan(3_000);
        view = ReplayedViewProcess.start(kafka, database, source, replay, 2_000);
        view.pause(2);
        await().atMost(PATIENCE).ignoreExceptions().until(() -> version().paused());
        view.resume(2);
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(version().problems())
                .anyMatch(problem ->
                        problem.contains("but Kafka has deleted everything before") && problem.contains("--resume")));
        ViewStatus.Progress progress = version().progress();
        assertThat(progress).isNotNull();
        assertThat(progress.done()).isBetween(3_000L, progress.total());
        assertThat(version().state()).isEqualTo(VersionState.BUILDING);

        run("replay", "--source", source, "--topic", replay, "--resume");
        await().atMost(PATIENCE).until(() -> version().state() == VersionState.LIVE);
        stopping = true;
        writer.join();
        awaitApplied(2, written());
        awaitApplied(1, written());
        assertThat(applied(2)).isEqualTo(events());
        assertThat(applied(1)).isEqualTo(events());
        assertThat(number("SELECT count(*) FROM tributary.parked_event")).isZero();
    }

    private ViewStatus.Version version() {
        return view.status().versions().stream()
                .filter(each -> each.version() == 2)
                .findFirst()
                .orElseThrow();
    }

    /** Events of both tables and both topics, in transactions of some, a few of them rolled back. */
    private void write() {
        try (Connection connection = LocalPostgres.shared().connect(sourceUrl);
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            for (int i = 0; !stopping; i++) {
                statement.execute("SELECT tributary.publish('left', 'a" + i % 200 + "', 'value.set.v1', '2'),"
                        + " tributary.append('right', 'b" + i % 50 + "', NULL, 'value.booked.v1', '3'),"
                        + " tributary.publish('right', 'a" + i % 200 + "', 'value.set.v1', '4')");
                if (i % 7 == 0) {
                    connection.rollback();
                } else {
                    connection.commit();
                    written.addAndGet(3);
                }
                LockSupport.parkNanos(5_000_000);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private long written() {
        return 3_000 + written.get();
    }

    private void awaitApplied(int version, long events) {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(50))
                .ignoreExceptions()
                .until(() -> number("SELECT count(*) FROM totals_v" + version + ".applied") >= events);
    }

    private Map<String, String> applied(int version) throws SQLException {
        try (Connection connection = database.getConnection()) {
            return map(
                    connection, "SELECT event_id, aggregate || '/' || sequence FROM totals_v" + version + ".applied");
        }
    }

    private Map<String, String> events() throws SQLException {
        try (Connection connection = LocalPostgres.shared().connect(sourceUrl)) {
            String columns =
                    "SELECT id::text, aggregate_type || '/' || aggregate_id || '/' || sequence FROM tributary.";
            Map<String, String> events = map(connection, columns + "outbox");
            events.putAll(map(connection, columns + "event_store"));
            return events;
        }
    }

    private static Map<String, String> map(Connection connection, String query) throws SQLException {
        Map<String, String> map = new HashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            while (row.next()) {
                map.put(row.getString(1), row.getString(2));
            }
        }
        return map;
    }

    private long number(String query) throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getLong(1);
        }
    }

    private void execute(String sql) throws SQLException {
        try (Connection connection = LocalPostgres.shared().connect(sourceUrl);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** As if Kafka's retention were next to nothing. */
    private void deleteWhatVersion1HasApplied() throws Exception {
        Map<TopicPartition, RecordsToDelete> ends = new HashMap<>();
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT topic, topic_partition, next_offset"
                        + " FROM tributary.subscription_position WHERE subscription = 'totals.v1'")) {
            while (row.next()) {
                ends.put(
                        new TopicPartition(row.getString(1), row.getInt(2)),
                        RecordsToDelete.beforeOffset(row.getLong(3)));
            }
        }
        try (Admin admin = admin()) {
            admin.deleteRecords(ends).all().get();
        }
    }

    private Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", kafka));
    }

    private JavaProcess.Builder relay(String... command) {
        return JavaProcess.jar(RELAY_JAR)
                .jvmArgs("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                .args(command)
                .args("--config", directory.resolve("relay.yaml").toString())
                .outputHere();
    }

    private void run(String... command) {
        try (JavaProcess process = relay(command).start()) {
            assertThat(process.waitFor(PATIENCE)).isTrue();
            assertThat(process.exitCode()).isZero();
        }
    }
}
