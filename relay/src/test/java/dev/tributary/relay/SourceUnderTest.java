package dev.tributary.relay;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
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
        kafkaProperties.put("bootstrap.servers", kafka.bootstrapServers());
        topics = new TopicsUnderTest(kafka, config);
        try (Connection connection = connect()) {
            OutboxSchema.apply(connection);
        }
        execute("CREATE PUBLICATION tributary FOR TABLE tributary.outbox, tributary.event_store"
                + " WITH (publish = 'insert', publish_via_partition_root = true)");
        execute("SELECT pg_create_logical_replication_slot('" + config.slot() + "', 'pgoutput')");
    }

    void skip(String id) {
        config = new SourceConfig(
                config.name(),
                config.url(),
                config.username(),
                config.password(),
                config.engine(),
                config.topic(),
                config.epoch(),
                Set.of(UUID.fromString(id)));
    }

    Connection connect() {
        return postgres.connect(config.url());
    }

    void execute(String... statements) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    /** Starts a relay of this source in this JVM. */
    Relay startRelay() {
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
        postgres.dropDatabase(config.url());
    }
}
