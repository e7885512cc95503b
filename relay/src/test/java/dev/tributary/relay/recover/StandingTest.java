package dev.tributary.relay.recover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.relay.Relay;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.setup.Preparation;
import dev.tributary.relay.sink.KafkaClients;
import dev.tributary.relay.sink.Topics;
import dev.tributary.relay.source.PostgresDatabase;
import dev.tributary.relay.source.SourceDatabase;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class StandingTest {
    private final Map<String, Object> kafka =
            Map.of("bootstrap.servers", LocalKafka.shared().bootstrapServers());
    private SourceConfig source;
    private Relay relay;

    @BeforeEach
    void start() throws SQLException {
        String name = "s" + UUID.randomUUID().toString().substring(0, 8);
        source = new SourceConfig(
                name,
                LocalPostgres.shared().createDatabase(name),
                LocalPostgres.USER,
                LocalPostgres.PASSWORD,
                SourceConfig.Engine.PGOUTPUT,
                "${source}.${aggregate_type}",
                1);
        Preparation.of(source).run();
        relay = new Relay(source, kafka, Clock.systemUTC());
        Thread running = new Thread(relay, "relay");
        running.setDaemon(true);
        running.start();
    }

    @AfterEach
    void stop() {
        relay.close();
        LocalPostgres.shared().dropDatabase(source.url());
    }

    /** As between two runs of it, when nobody is seen to read the slot. */
    @Test
    void aSlotThatARelayMovesOnInTheMeantimeIsNotTakenForLost() throws SQLException {
        try (SourceDatabase database = new PostgresDatabase(source);
                Topics topics = new KafkaClients(kafka).topics(source.name())) {
            relayAnEvent(database);

            Standing standing =
                    Standing.of(source, relayingMeanwhile(database), new KafkaClients(kafka), topics, false);

            assertThat(standing.trouble()).isEmpty();
            assertThat(standing.lineage().markedLsn()).isNotNull();
        }
    }

    /** Whenever it is asked for the slot, the relay relays one more event before the answer. */
    private SourceDatabase relayingMeanwhile(SourceDatabase database) {
        return (SourceDatabase) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {SourceDatabase.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("slotConfirmedLsn")) {
                        relayAnEvent(database);
                    }
                    try {
                        return method.invoke(database, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private void relayAnEvent(SourceDatabase database) throws SQLException {
        long before = database.slotConfirmedLsn();
        try (Connection connection = LocalPostgres.shared().connect(source.url());
                Statement statement = connection.createStatement()) {
            statement.execute("SELECT tributary.publish('order', '1', 'order.placed.v1', '{}')");
        }
        await().until(() -> database.slotConfirmedLsn() > before);
    }
}
