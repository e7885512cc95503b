package dev.tributary.localstack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;

class LocalKafkaTest {
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
}
