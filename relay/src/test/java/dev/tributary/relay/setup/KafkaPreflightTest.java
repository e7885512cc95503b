package dev.tributary.relay.setup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.relay.setup.Finding.Severity;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KafkaPreflightTest {
    private static final String SERVERS = "bootstrap.servers";

    @Test
    void findsKafka() {
        assertThat(KafkaPreflight.of(Map.of(SERVERS, LocalKafka.shared().bootstrapServers())))
                .singleElement()
                .isEqualTo(Finding.ok(
                        "connection", "1 broker by " + LocalKafka.shared().bootstrapServers()));
    }

    @Test
    void saysThatNoBrokerAnswers() {
        assertThat(KafkaPreflight.of(Map.of(SERVERS, "127.0.0.1:1"), Duration.ofMillis(300)))
                .singleElement()
                .satisfies(f -> assertThat(f.isFailure()).isTrue())
                .satisfies(f -> assertThat(f.message()).startsWith("no broker answered at 127.0.0.1:1 within"))
                .satisfies(f -> assertThat(f.remedy()).contains("relay.kafka.bootstrap.servers"));
        assertThat(KafkaPreflight.of(Map.of(SERVERS, "no-such-host.invalid:9092")))
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
        assertThat(KafkaPreflight.of(Map.of(SERVERS, "x:1", "linger.ms", "soon")))
                .as("nothing to connect with")
                .extracting(Finding::severity)
                .containsExactly(Severity.FAILED);
    }
}
