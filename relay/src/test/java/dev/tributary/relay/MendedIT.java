package dev.tributary.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.relay.config.SourceConfig;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What people have to mend is named, and goes on by itself once they have. */
class MendedIT {
    private static final Duration SOON = Duration.ofMinutes(2);

    private SourceUnderTest source;

    @BeforeEach
    void open() throws SQLException {
        source = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared());
    }

    @AfterEach
    void close() throws SQLException {
        source.close();
    }

    @Test
    void topicsThatWouldLoseWhatIsInThem() throws Exception {
        publish();
        String marks = ProgressMark.topicOf(source.config.name());
        String events = source.config.name() + ".order";
        try (Admin admin = Admin.create(source.kafkaProperties)) {
            admin.createTopics(List.of(
                            new NewTopic(marks, 1, (short) 1),
                            new NewTopic(events, 1, (short) 1).configs(Map.of("cleanup.policy", "compact"))))
                    .all()
                    .get();
            Relay relay = source.startRelay();
            awaitState(relay, SourceState.STOPPED, marks + " has cleanup.policy delete");
            setCleanupPolicy(admin, marks, "compact");
            awaitState(relay, SourceState.STOPPED, events + " is compacted");
            setCleanupPolicy(admin, events, "delete");
            awaitState(relay, SourceState.STREAMING, "");
            source.topics.awaitExactly(source);
        }
    }

    @Test
    void rightsThatTheRoleLacks() throws Exception {
        publish();
        String role = source.config.name() + "_role";
        source.execute("CREATE ROLE " + role + " LOGIN REPLICATION");
        SourceConfig config = new SourceConfig(
                source.config.name(),
                source.config.url(),
                role,
                LocalPostgres.PASSWORD,
                source.config.engine(),
                source.config.topic(),
                source.config.epoch());
        Relay relay = source.startRelay(config);
        awaitState(relay, SourceState.RECOVERING, "role '" + role + "' lacks a right");
        assertThat(relay.status().reason()).contains("permission denied");
        assertThat(relay.status().remedy()).contains("grant it", "by itself");
        source.execute(
                "GRANT USAGE ON SCHEMA tributary TO " + role,
                "GRANT SELECT ON tributary.aggregate, tributary.dead_letter TO " + role);
        awaitState(relay, SourceState.STREAMING, "");
        source.topics.awaitExactly(source);
        relay.close();
        source.execute("DROP OWNED BY " + role, "DROP ROLE " + role);
    }

    private void publish() throws SQLException {
        source.execute("SELECT tributary.publish('order', '1', 'order.placed.v1', '{}')");
    }

    private static void setCleanupPolicy(Admin admin, String topic, String policy) throws Exception {
        admin.incrementalAlterConfigs(Map.of(
                        new ConfigResource(ConfigResource.Type.TOPIC, topic),
                        List.of(new AlterConfigOp(new ConfigEntry("cleanup.policy", policy), OpType.SET))))
                .all()
                .get();
    }

    private static void awaitState(Relay relay, SourceState state, String reason) {
        await().atMost(SOON).untilAsserted(() -> {
            assertThat(relay.status().state()).isEqualTo(state);
            assertThat(relay.status().reason()).contains(reason);
        });
    }
}
