package dev.tributary.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KafkaSettingsTest {
    private static final Map<String, Object> LEAST = Map.of("bootstrap.servers", "127.0.0.1:9092");

    @ParameterizedTest
    @CsvSource({
        "enable.auto.commit, true",
        "auto.offset.reset, earliest",
        "auto.offset.reset, latest",
        "isolation.level, read_uncommitted",
        "group.id, another",
        "allow.auto.create.topics, true",
        "value.deserializer, org.apache.kafka.common.serialization.StringDeserializer",
        "interceptor.classes, some.Interceptor"
    })
    void whatWouldWeakenTheGuaranteesIsRefusedByName(String key, String value) {
        Map<String, Object> settings = new HashMap<>(LEAST);
        settings.put(key, value);
        assertThatThrownBy(() -> KafkaSettings.complete("view", settings))
                .isInstanceOf(SubscriptionException.class)
                .hasMessageContaining(key)
                .hasMessageContaining("must go");
    }

    @Test
    void guaranteesAreForced() {
        assertThat(KafkaSettings.complete("view", LEAST))
                .containsEntry("auto.offset.reset", "none")
                .containsEntry("enable.auto.commit", "false")
                .containsEntry("isolation.level", "read_committed")
                .containsEntry("group.id", "view");
    }

    @Test
    void harmlessSettingsArePassedOn() {
        Map<String, Object> settings = new HashMap<>(LEAST);
        settings.put("max.poll.records", 7);
        settings.put("enable.auto.commit", false);
        assertThat(KafkaSettings.complete("view", settings)).containsEntry("max.poll.records", 7);
    }

    @Test
    void incompleteSubscriptionsSayWhatIsMissing() {
        assertThatThrownBy(() -> Subscription.builder("v").start()).hasMessageContaining("dataSource");
        assertThatThrownBy(() -> Subscription.builder("v")
                        .onGarbage(Garbage.SKIP)
                        .on("a.v1", byte[].class, (e, c) -> {})
                        .on("a.v1", byte[].class, (e, c) -> {}))
                .hasMessageContaining("two handlers for a.v1");
        assertThatThrownBy(() -> KafkaSettings.complete("view", Map.of())).hasMessageContaining("bootstrap.servers");
    }

    @ParameterizedTest
    @CsvSource({
        "session.timeout.ms, soon, session.timeout.ms",
        "max.poll.records, -1, max.poll.records",
        "bootstrap.servers, kafka, 'bootstrap.servers: ''kafka'' is no address of a broker'",
        "bootstrap.servers, 'kafka:9092,other', '''other'' is no address of a broker'"
    })
    void whatNoClientCouldBeMadeWithIsRefusedByName(String key, String value, String message) {
        Map<String, Object> settings = new HashMap<>(LEAST);
        settings.put(key, value);
        assertThatThrownBy(() -> KafkaSettings.complete("view", settings))
                .isInstanceOf(SubscriptionException.class)
                .hasMessageContaining(message);
    }
}
