package dev.tributary.relay.sink;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.relay.flow.RelayException;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KafkaClientsTest {
    private final KafkaClients kafka = new KafkaClients(Map.of("bootstrap.servers", "nowhere.invalid:9092"));

    /** As names go in clusters where Kafka is started after the relay. */
    @Test
    void aNameThatIsNotKnownYetIsNoUnforeseenFault() {
        assertThatThrownBy(() -> kafka.topics("sales").close())
                .isExactlyInstanceOf(RelayException.class)
                .hasMessageContaining("nowhere.invalid");
        assertThatThrownBy(() -> kafka.consumer("sales").close())
                .isExactlyInstanceOf(RelayException.class)
                .hasMessageContaining("nowhere.invalid");
        assertThatThrownBy(() -> kafka.producer("sales").close())
                .isExactlyInstanceOf(RelayException.class)
                .hasMessageContaining("nowhere.invalid");
    }
}
