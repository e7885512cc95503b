package dev.tributary.localstack;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.Test;

class LocalKafkaIT {
    @Test
    void keepsTopicsOverRestartAndKill() throws Exception {
        try (LocalKafka kafka = LocalKafka.startOwn()) {
            String servers = kafka.bootstrapServers();
            try (Admin admin = admin(servers)) {
                admin.createTopics(List.of(new NewTopic("kept", 2, (short) 1)))
                        .all()
                        .get();
            }

            kafka.restart();
            kafka.kill();
            kafka.start();

            assertThat(kafka.bootstrapServers()).isEqualTo(servers);
            try (Admin admin = admin(servers)) {
                assertThat(admin.listTopics().names().get()).contains("kept");
            }
        }
    }

    private static Admin admin(String servers) {
        return Admin.create(Map.of("bootstrap.servers", servers));
    }
}
