package dev.tributary.relay.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.relay.flow.RelayException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
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
        assertThatThrownBy(() -> new ReplayTopic(Map.of("bootstrap.servers", "nowhere.invalid:9092"), "replay").close())
                .isExactlyInstanceOf(RelayException.class)
                .hasMessageContaining("Kafka at nowhere.invalid:9092 could not be found");
    }

    @Test
    void sourcesShareAnEighthOfTheHeapEachWithRoomForARecord() {
        long heap = 512L << 20;
        assertThat(shared(1, heap)).isEqualTo(32 << 20);
        assertThat(shared(8, heap)).isEqualTo(8 << 20);
        assertThat(shared(1_000, heap)).isEqualTo(1 << 20);
    }

    private static long shared(int sources, long heapBytes) {
        return KafkaClients.shared(Map.of("bootstrap.servers", "localhost:9092"), sources, heapBytes)
                .inFlightBytesMax();
    }

    @Test
    void aRecordAsLargeAsTheOperatorAllowsIsSentHoweverManySourcesShareTheHeap() throws Exception {
        Map<String, Object> large =
                Map.of("bootstrap.servers", LocalKafka.shared().bootstrapServers(), "max.request.size", "5000000");
        KafkaClients many = KafkaClients.shared(large, 1_000, 512L << 20);
        try (Admin admin = Admin.create(
                        Map.of("bootstrap.servers", LocalKafka.shared().bootstrapServers()));
                Producer<byte[], byte[]> producer = many.producer("large")) {
            admin.createTopics(List.of(
                            new NewTopic("large", 1, (short) 1).configs(Map.of("max.message.bytes", "5000000"))))
                    .all()
                    .get();
            assertThat(producer.send(new ProducerRecord<>("large", new byte[4_900_000]))
                            .get()
                            .offset())
                    .isZero();
            admin.deleteTopics(List.of("large")).all().get();
        }
    }

    @Test
    void allShareOneAdministratorWhichTheLastOneCloses() {
        List<Admin> made = new ArrayList<>();
        SharedAdmin shared = new SharedAdmin(() -> {
            made.add(Admin.create(Map.of("bootstrap.servers", "localhost:1")));
            return made.get(made.size() - 1);
        });
        shared.join();
        Admin first = shared.admin();
        shared.join();
        assertThat(shared.admin()).isSameAs(first);
        shared.leave();
        shared.join();
        assertThat(shared.admin()).as("somebody is still there").isSameAs(first);
        shared.leave();
        shared.leave();
        assertThatThrownBy(() -> first.listTopics().names().get(5, TimeUnit.SECONDS))
                .as("refused at once")
                .isInstanceOf(ExecutionException.class);

        shared.join();
        Admin second = shared.admin();
        shared.replaceIfEnded(second);
        assertThat(shared.admin()).as("lives, though it does not reach Kafka").isSameAs(second);
        assertThat(made).containsExactly(first, second);
        shared.leave();
    }
}
