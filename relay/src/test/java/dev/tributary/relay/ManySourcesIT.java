package dev.tributary.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tributary.localstack.FreePort;
import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One process that relays many sources, as it is delivered. */
class ManySourcesIT {
    private static final int SOURCES = 6;
    private static final int EVENTS = 20_000;
    private static final Duration SOON = Duration.ofSeconds(90);

    @TempDir
    private Path directory;

    private final List<SourceUnderTest> sources = new ArrayList<>();
    private final List<String> output = new CopyOnWriteArrayList<>();
    private LocalKafka kafka;
    private int port;

    @BeforeEach
    void open() throws SQLException {
        kafka = LocalKafka.startOwn();
        for (int i = 0; i < SOURCES; i++) {
            sources.add(new SourceUnderTest(LocalPostgres.shared(), kafka));
        }
        port = FreePort.next();
    }

    @AfterEach
    void close() throws SQLException {
        for (SourceUnderTest source : sources) {
            source.close();
        }
        kafka.close();
    }

    /** What all may have on its way together is bounded by the heap, and a source that cannot start takes nothing from them. */
    @Test
    void allFallBehindAndCatchUpWithinASmallHeap() throws Exception {
        try (JavaProcess relay = JavaProcess.main("dev.tributary.relay.cli.RelayCommand")
                .jvmArgs("-Xmx128m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-XX:TieredStopAtLevel=1")
                // As bin/relay has it: that LZ4 may hold off the collector is not what this is about
                .jvmArgs("-XX:+IgnoreUnrecognizedVMOptions", "-XX:+UnlockDiagnosticVMOptions")
                .jvmArgs("-XX:GCLockerRetryAllocationCount=1000")
                .args("run", "--config", configuration())
                .output(output::add)
                .start()) {
            for (SourceUnderTest source : sources) {
                publish(source, 1); // for its topic
            }
            awaitAll(1);

            kafka.pause();
            for (SourceUnderTest source : sources) {
                publish(source, EVENTS);
            }
            awaitFull(relay);
            kafka.resume();

            awaitAll(1 + EVENTS);
            assertThat(relay.isAlive()).isTrue();
            assertThat(states()).containsEntry("away", "RECOVERING").hasSize(SOURCES + 1);
            assertThat(states().values()).filteredOn("STREAMING"::equals).hasSize(SOURCES);
        }
    }

    private void publish(SourceUnderTest source, int events) throws SQLException {
        source.execute("INSERT INTO tributary.outbox SELECT gen_random_uuid(), 'order', 'order-' || n % 100, NULL,"
                + " 'order.placed.v1', 'application/json', convert_to('\"' || repeat('x', 300) || '\"', 'UTF8'), NULL,"
                + " clock_timestamp() FROM generate_series(1, " + events + ") n");
    }

    private void awaitAll(long events) {
        await().atMost(SOON).untilAsserted(() -> assertThat(sources)
                .as(() -> String.join("\n", output))
                .allSatisfy(source -> assertThat(source.topics.size()).isEqualTo(events)));
    }

    /** Until every source has something on its way, and none takes any more. */
    private void awaitFull(JavaProcess relay) {
        Map<String, Long> before = new HashMap<>();
        await().atMost(SOON)
                .pollInterval(Duration.ofSeconds(1))
                .failFast(() -> assertThat(relay.isAlive())
                        .as(() -> "the relay has ended: " + String.join("\n", output))
                        .isTrue())
                .ignoreExceptionsInstanceOf(IOException.class) // it answers a while after it relays
                .untilAsserted(() -> {
                    Map<String, Long> seen = new HashMap<>(before);
                    before.clear();
                    for (JsonNode source : statuses()) {
                        before.put(
                                source.path("source").asText(),
                                source.path("progress").path("eventsInFlight").asLong());
                    }
                    before.remove("away");
                    assertThat(before.values())
                            .as(() -> String.join("\n", output))
                            .allMatch(events -> events > 0);
                    assertThat(before).isEqualTo(seen);
                });
    }

    private Map<String, String> states() throws Exception {
        Map<String, String> states = new HashMap<>();
        for (JsonNode source : statuses()) {
            states.put(source.path("source").asText(), source.path("state").asText());
        }
        return states;
    }

    private JsonNode statuses() throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + port + "/api/v1/sources");
        return new JsonMapper()
                .readTree(HttpClient.newHttpClient()
                        .send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString())
                        .body());
    }

    private String configuration() throws IOException {
        StringBuilder yaml = new StringBuilder("""
                relay:
                  kafka: { bootstrap.servers: "%s" }
                  http: { host: 127.0.0.1, port: %d }
                  sources:
                    away: { url: "jdbc:postgresql://127.0.0.1:%d/nowhere", username: relay }
                """.formatted(kafka.bootstrapServers(), port, FreePort.next()));
        for (SourceUnderTest source : sources) {
            yaml.append("    %s: { url: \"%s\", username: %s, password: %s }%n"
                    .formatted(
                            source.config.name(),
                            source.config.url(),
                            source.config.username(),
                            source.config.password()));
        }
        return Files.writeString(directory.resolve("relay.yaml"), yaml).toString();
    }
}
