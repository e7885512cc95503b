package dev.tributary.relay;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** A source with a database of its own, ready to be relayed, and what is known to be committed there. */
final class SourceUnderTest implements AutoCloseable {
    private final LocalPostgres postgres;
    private final List<Relay> relays = new ArrayList<>();
    final String database;
    SourceConfig config;
    final Map<String, Object> kafkaProperties = new HashMap<>();
    final TopicsUnderTest topics;

    SourceUnderTest(LocalPostgres postgres, LocalKafka kafka) throws SQLException {
        this.postgres = postgres;
        String name = "s" + UUID.randomUUID().toString().substring(0, 8);
        config = new SourceConfig(
                name,
                postgres.createDatabase(name),
                LocalPostgres.USER,
                LocalPostgres.PASSWORD,
                SourceConfig.Engine.PGOUTPUT,
                "${source}.${aggregate_type}",
                1);
        database = config.url().substring(config.url().lastIndexOf('/') + 1);
        kafkaProperties.put("bootstrap.servers", kafka.bootstrapServers());
        topics = new TopicsUnderTest(kafka, config);
        prepareDatabase();
        execute("SELECT pg_create_logical_replication_slot('" + config.slot() + "', 'pgoutput')");
    }

    void prepareDatabase() throws SQLException {
        try (Connection connection = connect()) {
            OutboxSchema.apply(connection);
        }
        execute("CREATE PUBLICATION tributary FOR TABLE tributary.outbox, tributary.event_store"
                + " WITH (publish = 'insert', publish_via_partition_root = true)");
    }

    void skip(String id) {
        configure(config.url(), Set.of(UUID.fromString(id)));
    }

    /** Whichever of the two is the primary. */
    void useServers(LocalPostgres one, LocalPostgres other) {
        configure(
                "jdbc:postgresql://127.0.0.1:" + one.port() + ",127.0.0.1:" + other.port() + "/" + database
                        + "?targetServerType=primary&hostRecheckSeconds=0",
                config.skip());
    }

    private void configure(String url, Set<UUID> skip) {
        config = new SourceConfig(
                        config.name(),
                        url,
                        config.username(),
                        config.password(),
                        config.engine(),
                        config.topic(),
                        config.epoch())
                .withSkip(skip);
    }

    Connection connect() {
        return postgres.connect(config.url());
    }

    /** Under a name that is no relay's. */
    Connection connectForReplication() throws SQLException {
        return DriverManager.getConnection(
                config.url() + "?replication=database&preferQueryMode=simple&assumeMinServerVersion=14",
                config.username(),
                config.password());
    }

    void execute(String... statements) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    /** The first column of the first row. */
    String text(String query) throws SQLException {
        try (Connection connection = connect()) {
            return text(connection, query);
        }
    }

    static String text(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return String.valueOf(row.getString(1));
        }
    }

    static void run(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Whoever reads it: ended first, and kept from coming back in between. */
    void dropSlot() throws SQLException {
        whileFree("pg_drop_replication_slot('" + config.slot() + "')");
    }

    /** In one transaction, so that a relay, which comes back within moments, does not hinder. */
    void whileFree(String calls) throws SQLException {
        execute("DO $$ BEGIN FOR i IN 1..1000 LOOP BEGIN"
                + " PERFORM pg_terminate_backend(active_pid, 1000) FROM pg_replication_slots WHERE slot_name = '"
                + config.slot() + "'; PERFORM " + calls + "; RETURN;"
                + " EXCEPTION WHEN object_in_use THEN NULL; END; END LOOP; RAISE 'slot was never free'; END $$");
    }

    void publish(String aggregateType, String aggregateId, int events) throws SQLException {
        for (int i = 0; i < events; i++) {
            execute(publishing(aggregateType, aggregateId));
        }
    }

    static String publishing(String aggregateType, String aggregateId) {
        return "SELECT tributary.publish('" + aggregateType + "', '" + aggregateId + "', 'order.placed.v1', '{}')";
    }

    /** A transaction that has published one event, and is the caller's to end. */
    Connection begin(String aggregateId) throws SQLException {
        Connection connection = connect();
        connection.setAutoCommit(false);
        run(connection, publishing("order", aggregateId));
        return connection;
    }

    /** Starts a relay of this source in this JVM. */
    Relay startRelay() {
        return startRelay(config);
    }

    /** One that sees the source in another way. */
    Relay startRelay(SourceConfig config) {
        Relay relay = new Relay(config, kafkaProperties, Clock.systemUTC());
        relays.add(relay);
        Thread thread = new Thread(relay, "relay-" + config.name());
        thread.setDaemon(true);
        thread.start();
        return relay;
    }

    /** The events that are committed, by id, as {@code type/aggregate/sequence}. */
    Map<String, String> committed() throws SQLException {
        Map<String, String> events = new HashMap<>();
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(
                        "SELECT id, aggregate_type || '/' || aggregate_id, coalesce(sequence, 0) FROM tributary.outbox"
                                + " UNION ALL SELECT id, aggregate_type || '/' || aggregate_id, sequence"
                                + " FROM tributary.event_store")) {
            while (rows.next()) {
                events.put(rows.getString(1), rows.getString(2) + "/" + rows.getLong(3));
            }
        }
        return events;
    }

    @Override
    public void close() throws SQLException {
        relays.forEach(Relay::close);
        topics.delete();
        if (!config.url().contains("?")) { // otherwise its servers go, too
            postgres.dropDatabase(config.url());
        }
    }
}
