package dev.tributary.samples.demo;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.tributary.consumer.ConsumerSchema;
import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.progress.ViewProgress;
import dev.tributary.localstack.FreePort;
import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.EventTypes;
import dev.tributary.outbox.NewEvent;
import dev.tributary.outbox.Outbox;
import dev.tributary.outbox.OutboxSchema;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A source, the relay's jar in a process of its own, and a view: the last value of each key. Events of two topics with six
 * partitions each.
 */
final class RelayedView implements AutoCloseable {
    private static final Path RELAY_JAR = Path.of("../../relay/target/relay.jar");
    private static final Duration INIT_MAX = Duration.ofMinutes(3);

    final String source = "s" + UUID.randomUUID().toString().substring(0, 8);
    final Outbox outbox =
            Outbox.builder(EventTypes.builder().build()).source(source).build();
    private final LocalPostgres postgres = LocalPostgres.shared();
    private final LocalKafka kafka = LocalKafka.shared();
    private final String sourceUrl = postgres.createDatabase("source");
    private final String viewUrl = postgres.createDatabase("view");
    private final HikariDataSource view;
    private final Path configuration;
    private final Map<ViewProgress, Subscription> instances = new ConcurrentHashMap<>();
    JavaProcess relay;

    RelayedView(Path directory) throws IOException, SQLException {
        configuration = directory.resolve("relay.yaml");
        Files.writeString(configuration, """
                relay:
                  kafka: { bootstrap.servers: "%s" }
                  http: { host: 127.0.0.1, port: %d }
                  sources:
                    %s: { url: "%s", username: %s, password: %s }
                """.formatted(
                        kafka.bootstrapServers(),
                        FreePort.next(),
                        source,
                        sourceUrl,
                        LocalPostgres.USER,
                        LocalPostgres.PASSWORD));
        try (Connection connection = writer();
                var statement = connection.createStatement()) {
            OutboxSchema.apply(connection);
            statement.execute("CREATE TABLE other (id int, text text)");
            connection.commit();
        }
        HikariConfig pool = new HikariConfig();
        pool.setJdbcUrl(viewUrl);
        pool.setUsername(LocalPostgres.USER);
        pool.setPassword(LocalPostgres.PASSWORD);
        pool.setMaximumPoolSize(30);
        pool.setMinimumIdle(0);
        view = new HikariDataSource(pool);
        try (Connection connection = view.getConnection();
                var statement = connection.createStatement()) {
            ConsumerSchema.apply(connection);
            statement.execute("CREATE TABLE seen (key text PRIMARY KEY, value bigint NOT NULL)");
        }
        try (JavaProcess init = relay("init").start()) {
            if (!init.waitFor(INIT_MAX) || init.exitCode() != 0) {
                throw new IllegalStateException("relay init failed");
            }
        }
        relay = relay("run").start();
    }

    private JavaProcess.Builder relay(String command) {
        return JavaProcess.jar(RELAY_JAR)
                .jvmArgs("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                .args(command, "--config", configuration.toString())
                .outputHere();
    }

    void restartRelay() {
        relay.kill();
        relay = relay("run").start();
    }

    /** One more instance of the service that keeps the view. */
    ViewProgress addInstance() {
        Subscription subscription = Subscription.builder("view-of-" + source)
                .kafka(Map.of(
                        "bootstrap.servers",
                        kafka.bootstrapServers(),
                        "session.timeout.ms",
                        6_000,
                        "metadata.max.age.ms",
                        500))
                .dataSource(view)
                .topics(source + ".left", source + ".right")
                .on("value.set.v1", byte[].class, (event, connection) -> {
                    try (PreparedStatement upsert = connection.prepareStatement("INSERT INTO seen VALUES (?, ?)"
                            + " ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value")) {
                        upsert.setString(1, event.aggregateId());
                        upsert.setLong(2, Long.parseLong(new String(event.payload(), StandardCharsets.UTF_8)));
                        upsert.executeUpdate();
                    }
                })
                .start();
        ViewProgress progress = ViewProgress.of(subscription).start();
        instances.put(progress, subscription);
        return progress;
    }

    /** It feeds the view no more, and can be asked still. */
    void stopFeeding(ViewProgress progress) {
        Subscription subscription = instances.get(progress);
        if (subscription != null) {
            subscription.close();
        }
    }

    /** A connection to the source, with auto-commit off. */
    Connection writer() throws SQLException {
        Connection connection = postgres.connect(sourceUrl);
        connection.setAutoCommit(false);
        return connection;
    }

    void set(Connection connection, String key, long value) throws SQLException {
        String type = key.hashCode() % 2 == 0 ? "left" : "right";
        byte[] payload = Long.toString(value).getBytes(StandardCharsets.UTF_8);
        outbox.publish(connection, NewEvent.raw(type, key, "value.set.v1", "text/plain", payload));
    }

    /** What the view has; -1 for nothing. */
    long seen(String key) throws SQLException {
        try (Connection connection = view.getConnection();
                PreparedStatement query = connection.prepareStatement("SELECT value FROM seen WHERE key = ?")) {
            query.setString(1, key);
            try (ResultSet row = query.executeQuery()) {
                return row.next() ? row.getLong(1) : -1;
            }
        }
    }

    @Override
    public void close() {
        instances.keySet().forEach(ViewProgress::close);
        instances.keySet().forEach(this::stopFeeding);
        relay.resume();
        relay.close();
        view.close();
        postgres.dropDatabase(viewUrl);
        try (Connection connection = postgres.connect(sourceUrl);
                var statement = connection.createStatement()) {
            statement.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                    + " WHERE database = current_database() AND NOT active");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        postgres.dropDatabase(sourceUrl);
    }
}
