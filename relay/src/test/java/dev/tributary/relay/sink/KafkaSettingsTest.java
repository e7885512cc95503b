package dev.tributary.relay.sink;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class KafkaSettingsTest {
    private final KafkaSettings settings = new KafkaSettings(
            Map.of(
                    "bootstrap.servers", "localhost:9092",
                    "acks", "1",
                    "max.in.flight.requests.per.connection", "5",
                    "enable.idempotence", "false",
                    "linger.ms", "7",
                    "group.id", "mine",
                    "sasl.jaas.config", "secret"),
            32 << 20);

    @Test
    void whatThePrefixRuleNeedsCannotBeChanged() {
        assertThat(settings.producer("me"))
                .containsEntry("acks", "all")
                .containsEntry("enable.idempotence", true)
                .containsEntry("max.in.flight.requests.per.connection", 1);
    }

    @Test
    void theRestIsTheOperatorsAndGoesToTheClientsThatKnowIt() {
        assertThat(settings.producer("me"))
                .containsEntry("linger.ms", "7")
                .containsEntry("sasl.jaas.config", "secret")
                .doesNotContainKey("group.id");
        assertThat(settings.consumer("me"))
                .containsEntry("sasl.jaas.config", "secret")
                .containsEntry("auto.offset.reset", "none")
                .doesNotContainKeys("group.id", "linger.ms");
        assertThat(settings.admin("me"))
                .containsEntry("sasl.jaas.config", "secret")
                .doesNotContainKey("linger.ms");
    }

    @Test
    void memoryIsSharedByHowMuchMayBeOnItsWay() {
        assertThat(settings.producer("me"))
                .containsEntry("buffer.memory", 64L << 20)
                .containsEntry("batch.size", 128 << 10);
        KafkaSettings one = new KafkaSettings(Map.of("buffer.memory", "9000000"), 1 << 20);
        assertThat(one.producer("me"))
                .containsEntry("batch.size", 64 << 10)
                .as("the operator's")
                .containsEntry("buffer.memory", "9000000");
        assertThat(one.consumer("me")).containsEntry("fetch.max.bytes", 1 << 20);
    }
}
