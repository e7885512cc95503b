package dev.tributary.relay;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.EventTypes;
import dev.tributary.outbox.NewEvent;
import dev.tributary.outbox.Outbox;
import io.cloudevents.CloudEvent;
import io.cloudevents.SpecVersion;
import io.cloudevents.kafka.CloudEventDeserializer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Others, who know nothing of Tributary, can read what the relay writes. */
class WireFormatTest {
    private static final String TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    private SourceUnderTest source;
    private UUID published;

    @BeforeEach
    void relayOneEvent() throws Exception {
        source = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared());
        source.startRelay();
        try (Connection connection = source.connect()) {
            connection.setAutoCommit(false);
            published = Outbox.of(EventTypes.builder().build())
                    .publish(
                            connection,
                            NewEvent.raw(
                                            "order",
                                            "42",
                                            "order.placed.v1",
                                            "application/json",
                                            "{\"total\":1}".getBytes(UTF_8))
                                    .correlationId("c-1")
                                    .causationId("c-0")
                                    .traceParent(TRACE)
                                    .header("tenant", "acme"));
            connection.commit();
        }
        source.topics.awaitExactly(source);
    }

    @AfterEach
    void close() throws Exception {
        source.close();
    }

    @Test
    void theCloudEventsSdkReadsIt() {
        ConsumerRecord<byte[], byte[]> record = source.topics.records().get(0);
        CloudEvent event;
        try (CloudEventDeserializer deserializer = new CloudEventDeserializer()) {
            event = deserializer.deserialize(record.topic(), record.headers(), record.value());
        }
        assertThat(event.getSpecVersion()).isEqualTo(SpecVersion.V1);
        assertThat(event.getId()).isEqualTo(published.toString());
        assertThat(event.getSource()).hasToString("/" + source.config.name());
        assertThat(event.getType()).isEqualTo("order.placed.v1");
        assertThat(event.getSubject()).isEqualTo("order/42");
        assertThat(event.getTime()).isNotNull();
        assertThat(event.getDataContentType()).isEqualTo("application/json");
        assertThat(Objects.requireNonNull(event.getData()).toBytes())
                .asString(UTF_8)
                .isEqualTo("{\"total\":1}");
        assertThat(event.getExtension("partitionkey")).isEqualTo("42");
        assertThat(event.getExtension("sequence")).isEqualTo("1");
        assertThat(event.getExtension("position")).asString().hasSize(34);
        assertThat(event.getExtension("traceparent")).isEqualTo(TRACE);
        assertThat(event.getExtension("correlationid")).isEqualTo("c-1");
        assertThat(event.getExtension("causationid")).isEqualTo("c-0");
    }

    @Test
    void kcatReadsIt(@TempDir Path directory) throws Exception {
        assumeTrue(isInstalled("kcat"), "kcat is not installed: this is checked where it is");
        Path output = directory.resolve("kcat.txt");
        Process kcat = new ProcessBuilder(
                        "kcat",
                        "-C",
                        "-e",
                        "-q",
                        "-b",
                        LocalKafka.shared().bootstrapServers(),
                        "-t",
                        source.config.name() + ".order",
                        "-f",
                        "%k|%s|%h\n")
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(kcat.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(output))
                .startsWith("42|{\"total\":1}|")
                .contains("ce_id=" + published)
                .contains("traceparent=" + TRACE)
                .contains("tenant=acme");
    }

    private static boolean isInstalled(String program) {
        try {
            Process process = new ProcessBuilder(program, "-V")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
