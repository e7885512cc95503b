package dev.tributary.relay.setup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.relay.setup.Finding.Severity;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.Test;

class KafkaPreflightTest {
    private static final String SERVERS = "bootstrap.servers";

    @Test
    void findsKafka() {
        assertThat(KafkaPreflight.of(Map.of(SERVERS, LocalKafka.shared().bootstrapServers()), List.of("unknown")))
                .singleElement()
                .isEqualTo(Finding.ok(
                        "connection", "1 broker by " + LocalKafka.shared().bootstrapServers()));
    }

    @Test
    void findsThatProgressMarksWouldBeRemoved() throws Exception {
        Map<String, Object> kafka = Map.of(SERVERS, LocalKafka.shared().bootstrapServers());
        String topic = ProgressMark.topicOf("deleting");
        try (Admin admin = Admin.create(kafka)) {
            admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get();
            try {
                // A broker knows of a topic a moment after it has been created
                await().until(() -> admin.listTopics().names().get().contains(topic));
                assertThat(KafkaPreflight.of(kafka, List.of("deleting", "unknown")))
                        .filteredOn(Finding::isFailure)
                        .singleElement()
                        .satisfies(f -> assertThat(f.message()).startsWith(topic + " has cleanup.policy delete"))
                        .satisfies(f -> assertThat(f.remedy()).contains("cleanup.policy=compact"));
            } finally {
                admin.deleteTopics(List.of(topic)).all().get();
            }
        }
    }

    @Test
    void saysThatNoBrokerAnswers() {
        assertThat(KafkaPreflight.of(Map.of(SERVERS, "127.0.0.1:1"), List.of(), Duration.ofMillis(300)))
                .singleElement()
                .satisfies(f -> assertThat(f.isFailure()).isTrue())
                .satisfies(f -> assertThat(f.message()).startsWith("no broker answered at 127.0.0.1:1 within"))
                .satisfies(f -> assertThat(f.remedy()).contains("relay.kafka.bootstrap.servers"));
        assertThat(KafkaPreflight.of(Map.of(SERVERS, "no-such-host.invalid:9092"), List.of()))
                .singleElement()
                .satisfies(f -> assertThat(f.isFailure()).isTrue())
                .satisfies(f -> assertThat(f.message()).contains("bootstrap"));
    }

    @Test
    void findsValuesThatTheClientWouldNotTakeAndNamesThatItDoesNotKnow() {
        assertThat(KafkaPreflight.properties(Map.of(
                        SERVERS, "x:1", "linger.ms", "soon", "compresion.type", "lz4", "my.plugins.own.setting", "x")))
                .extracting(f -> f.severity() + " " + f.message())
                .containsExactlyInAnyOrder(
                        "WARNING Kafka's client does not know 'compresion.type'; did you mean 'compression.type'?",
                        "FAILED Invalid value soon for configuration linger.ms: Not a number of type LONG");
        assertThat(KafkaPreflight.properties(Map.of(SERVERS, "x:1", "compression.type", "lz4")))
                .isEmpty();
        assertThat(KafkaPreflight.of(Map.of(SERVERS, "x:1", "linger.ms", "soon"), List.of()))
                .as("nothing to connect with")
                .extracting(Finding::severity)
                .containsExactly(Severity.FAILED);
    }
}
