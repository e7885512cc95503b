package dev.tributary.localstack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;

class LocalKafkaIT {
    private final Map<String, Object> client =
            Map.of("bootstrap.servers", LocalKafka.shared().bootstrapServers(), "max.block.ms", 1_000);

    @Test
    void servesAsOneNode() throws Exception {
        try (Admin admin = Admin.create(client)) {
            assertThat(admin.describeCluster().nodes().get(10, TimeUnit.SECONDS))
                    .hasSize(1);
        }
    }

    @Test
    void makesNoTopicsByItself() {
        try (var producer = new KafkaProducer<>(client, new StringSerializer(), new StringSerializer())) {
            assertThatThrownBy(() -> producer.send(new ProducerRecord<>("nobody-made-this", "x"))
                            .get())
                    .isInstanceOf(ExecutionException.class)
                    .hasMessageContaining("nobody-made-this");
        }
    }

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
