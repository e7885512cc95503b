package dev.tributary.relay.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.localstack.FreePort;
import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The program as it is delivered, as a process of its own. */
class RelayJarIT {
    private static final Path JAR = Path.of("target", "relay.jar");
    private static final Duration SOON = Duration.ofMinutes(2);
    private static final String SECRET = "hunter2";

    @TempDir
    private Path directory;

    private int port;

    @BeforeEach
    void findAPort() {
        port = FreePort.next();
    }

    @Test
    void startsBeforeDatabaseAndKafkaRelaysWhenTheyComeAndEndsWhenAsked() throws Exception {
        try (LocalPostgres postgres = LocalPostgres.startOwn();
                LocalKafka kafka = LocalKafka.startOwn()) {
            String url = postgres.createDatabaseNamed("sales");
            String config = config(url, kafka.bootstrapServers());
            List<String> output = new CopyOnWriteArrayList<>();
            assertThat(run(output, "init", "--config", config)).isZero();
            postgres.stop();
            kafka.stop();

            try (JavaProcess relay = start(output, "run", "--config", config)) {
                await().atMost(SOON).until(() -> statusOf("/health/liveness") == 200);
                await().atMost(SOON).untilAsserted(() -> {
                    assertThat(statusOf("/health/readiness")).isEqualTo(503);
                    assertThat(readiness("sales").path("reason").asText()).contains("database");
                });

                postgres.start();
                kafka.start();
                await().atMost(SOON).untilAsserted(() -> {
                    assertThat(statusOf("/health/readiness")).isEqualTo(200);
                    assertThat(readiness("sales").path("state").asText()).isEqualTo("STREAMING");
                });
                publish(postgres, url);
                await().atMost(SOON).untilAsserted(() -> assertThat(
                                get("/prometheus").body().lines())
                        .contains("tributary_relay_events_total{source=\"sales\"} 1.0"));

                assertThat(run(output, "check", "--config", config)).isZero();
                assertThat(run(output, "status", "--config", config)).isZero();
                assertThat(output).anyMatch(line -> line.startsWith("sales: STREAMING since "));
                assertThat(run(output, "run", "--config", config)).isEqualTo(1);
                assertThat(output).anyMatch(line -> line.startsWith("The relay cannot listen on 127.0.0.1:" + port));

                relay.terminate();
                assertThat(relay.waitFor(SOON)).isTrue();
                assertThat(relay.exitCode()).isZero();
            }
            assertThat(output).noneMatch(line -> line.contains(SECRET) || line.contains("\tat "));
            assertThat(json(output))
                    .anyMatch(line -> line.at("/mdc/source").asText().equals("sales"))
                    .anyMatch(
                            line -> line.path("formattedMessage").asText().startsWith("relaying sales, answering at "));
        }
    }

    /** With a role that may do no more than docs/operating.md says. */
    @ParameterizedTest
    @ValueSource(strings = {"pgoutput", "debezium"})
    void eitherEngineRelaysAndDebeziumIsLoadedOnlyWhereItIsAskedFor(String engine) throws Exception {
        String source = "jar_" + engine;
        LocalPostgres postgres = LocalPostgres.shared();
        String url = postgres.createDatabase(source);
        String config = config(url, LocalKafka.shared().bootstrapServers());
        Files.writeString(Path.of(config), Files.readString(Path.of(config)).replace("sales:", source + ":"));
        Map<String, String> asRole = Map.of(
                "RELAY_SOURCES_" + source.toUpperCase(Locale.ROOT) + "_USERNAME", source,
                "RELAY_SOURCES_" + source.toUpperCase(Locale.ROOT) + "_ENGINE", engine);
        List<String> output = new CopyOnWriteArrayList<>();
        assertThat(run(output, "init", "--config", config)).isZero();
        execute(
                postgres,
                url,
                "CREATE ROLE " + source + " LOGIN REPLICATION; GRANT pg_read_all_stats TO " + source
                        + "; GRANT USAGE ON SCHEMA tributary TO " + source
                        + "; GRANT SELECT ON tributary.aggregate, tributary.dead_letter TO "
                        + source);
        assertThat(run(output, asRole, "check", "--config", config)).isZero();
        Path loaded = directory.resolve("loaded.log");
        try (JavaProcess relay = JavaProcess.jar(JAR)
                .jvmArgs("-Xlog:class+load:file=" + loaded)
                .args("run", "--config", config)
                .env("RELAY_KAFKA_BOOTSTRAP_SERVERS", kafkaServers)
                .env("SALES_PASSWORD", SECRET)
                .env(asRole)
                .output(output::add)
                .start()) {
            publish(postgres, url);
            await().atMost(SOON).ignoreExceptionsInstanceOf(IOException.class).untilAsserted(() -> assertThat(
                            get("/prometheus").body().lines())
                    .as(() -> String.join("\n", output))
                    .contains("tributary_relay_events_total{source=\"" + source + "\"} 1.0"));
            relay.terminate();
            assertThat(relay.waitFor(SOON)).isTrue();
            assertThat(relay.exitCode()).isZero();
        }
        assertThat(Files.readString(loaded).contains(" io.debezium.")).isEqualTo(engine.equals("debezium"));
        postgres.dropDatabase(url);
        execute(postgres, postgres.createDatabase("roles"), "DROP ROLE " + source);
    }

    /** Whatever it is busy with: looking at the configuration, opening sources, opening the HTTP server. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "dev.tributary.relay.setup.KafkaPreflight",
                "dev.tributary.relay.Relay",
                "io.micronaut.context.DefaultApplicationContext"
            })
    void endsInOrderAlsoWhenItIsAskedToWhileItStarts(String loading) throws Exception {
        String config =
                config("jdbc:postgresql://127.0.0.1:" + FreePort.next() + "/nowhere", "127.0.0.1:" + FreePort.next());
        List<String> output = new CopyOnWriteArrayList<>();
        CompletableFuture<JavaProcess> started = new CompletableFuture<>();
        try (JavaProcess relay = JavaProcess.jar(JAR)
                .jvmArgs("-Xlog:class+load")
                .args("run", "--config", config)
                .env("RELAY_KAFKA_BOOTSTRAP_SERVERS", kafkaServers)
                .env("SALES_PASSWORD", SECRET)
                .output(line -> {
                    if (line.contains(loading + " source:")) {
                        started.join().terminate();
                    } else if (!line.contains("[class,load]")) {
                        output.add(line);
                    }
                })
                .start()) {
            started.complete(relay);
            assertThat(relay.waitFor(SOON)).isTrue();
            assertThat(relay.exitCode()).as(() -> String.join("\n", output)).isZero();
        }
        assertThat(output).noneMatch(line -> line.contains("answering at") || line.contains("\tat "));
    }

    @Test
    void endsWith2OnBadUsage() {
        List<String> output = new CopyOnWriteArrayList<>();
        assertThat(run(
                        output,
                        "run",
                        "--config",
                        directory.resolve("nowhere.yaml").toString()))
                .isEqualTo(2);
        assertThat(output).anyMatch(line -> line.contains("nowhere.yaml: does not exist"));
        assertThat(run(output, Map.of("RELAY_LOG", "yaml"), "run")).isEqualTo(2);
        assertThat(output).anyMatch(line -> line.contains("RELAY_LOG must be plain or json, not 'yaml'"));
    }

    @Test
    void startsFromTheUnpackedArchive() throws Exception {
        try (Stream<Path> built = Files.list(Path.of("target"))) {
            Path archive = built.filter(file -> file.toString().endsWith(".tar.gz"))
                    .findFirst()
                    .orElseThrow();
            shell("tar", "-xzf", archive.toAbsolutePath().toString());
        }
        Path home;
        try (Stream<Path> unpacked = Files.list(directory)) {
            home = unpacked.filter(Files::isDirectory).findFirst().orElseThrow();
        }
        assertThat(home.resolve("LICENSE")).isNotEmptyFile();
        assertThat(home.resolve("README.md")).isNotEmptyFile();
        Files.createSymbolicLink(directory.resolve("relay-link"), home.resolve("bin/relay"));

        String version = home.getFileName().toString().substring("tributary-relay-".length());
        assertThat(shell(directory.resolve("relay-link").toString(), "--version"))
                .isEqualTo("relay " + version + "\n");
        assertThat(shell(home.resolve("bin/relay").toString(), "init", "--help"))
                .contains("--dry-run");
        // Before the relay ends for want of that file, Java has told all its options
        List<String> told = new CopyOnWriteArrayList<>();
        assertThat(runScript(home.resolve("bin/relay"), told)).isEqualTo(2);
        assertThat(told).anyMatch(line -> line.contains("nowhere.yaml: does not exist"));
        assertThat(told).anyMatch(line -> line.matches(" *bool ExitOnOutOfMemoryError +:?= true .*"));
        assertThat(told)
                .filteredOn(line -> line.contains(" GCLockerRetryAllocationCount ")) // none from Java 25 on
                .hasSize(Runtime.version().feature() < 25 ? 1 : 0)
                .allMatch(line -> line.contains("= 1000 "));
    }

    private int runScript(Path script, List<String> output) throws Exception {
        ProcessBuilder run = new ProcessBuilder(
                        script.toString(),
                        "run",
                        "--config",
                        directory.resolve("nowhere.yaml").toString())
                .redirectErrorStream(true);
        run.environment().put("JAVA_HOME", System.getProperty("java.home"));
        run.environment().put("JAVA_OPTS", "-XX:+PrintFlagsFinal");
        Process process = run.start();
        output.addAll(process.inputReader().lines().toList());
        return process.waitFor();
    }

    /** Only {@code bin/relay} knows what Java needs; without it people are told. */
    @Test
    void saysWhatJavaNeedsForManySources() throws Exception {
        StringBuilder yaml = new StringBuilder("relay:\n  http: { port: " + port + " }\n  sources:\n");
        for (int i = 0; i < 4; i++) {
            yaml.append("    s%d: { url: \"jdbc:postgresql://127.0.0.1:%d/nowhere\", username: relay }%n"
                    .formatted(i, FreePort.next()));
        }
        Path config = Files.writeString(directory.resolve("many.yaml"), yaml);
        kafkaServers = "127.0.0.1:" + FreePort.next();
        List<String> output = new CopyOnWriteArrayList<>();
        try (JavaProcess relay = JavaProcess.jar(JAR)
                .jvmArgs("-XX:+UseG1GC")
                .args("run", "--config", config.toString())
                .env("RELAY_KAFKA_BOOTSTRAP_SERVERS", kafkaServers)
                .output(output::add)
                .start()) {
            await().atMost(SOON)
                    .until(() -> output.stream().anyMatch(line -> line.contains("relaying s0, s1, s2, s3")));
            assertThat(relay.isAlive()).isTrue();
        }
        assertThat(output)
                .filteredOn(line -> line.contains("GCLockerRetryAllocationCount"))
                .hasSize(Runtime.version().feature() < 22 ? 1 : 0)
                .allMatch(line -> line.contains(" WARN "));
    }

    private String shell(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }

    private String config(String url, String kafka) throws IOException {
        Path file = directory.resolve("relay.yaml");
        Files.writeString(file, """
                relay:
                  kafka: { bootstrap.servers: "nowhere:1" }
                  http: { port: %d }
                  sources:
                    sales: { url: "%s", username: postgres, password: "${SALES_PASSWORD}" }
                """.formatted(port, url));
        kafkaServers = kafka;
        return file.toString();
    }

    private String kafkaServers = "";

    private JavaProcess start(List<String> output, String... arguments) {
        return start(output, Map.of("RELAY_LOG", "json"), arguments);
    }

    private JavaProcess start(List<String> output, Map<String, String> environment, String... arguments) {
        return JavaProcess.jar(JAR)
                .args(arguments)
                .env("RELAY_KAFKA_BOOTSTRAP_SERVERS", kafkaServers)
                .env("SALES_PASSWORD", SECRET)
                .env(environment)
                .output(output::add)
                .start();
    }

    private int run(List<String> output, String... arguments) {
        return run(output, Map.of(), arguments);
    }

    private int run(List<String> output, Map<String, String> environment, String... arguments) {
        try (JavaProcess process = start(output, environment, arguments)) {
            assertThat(process.waitFor(SOON)).isTrue();
            return process.exitCode();
        }
    }

    private static void publish(LocalPostgres postgres, String url) throws SQLException {
        execute(postgres, url, "SELECT tributary.publish('order', 'o-1', 'order.placed.v1', '{\"total\": 7}')");
    }

    private static void execute(LocalPostgres postgres, String url, String sql) throws SQLException {
        try (Connection connection = postgres.connect(url);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private JsonNode readiness(String source) throws IOException, InterruptedException {
        return new ObjectMapper()
                .readTree(get("/health/readiness").body())
                .at("/details/sources/details")
                .path(source);
    }

    private int statusOf(String path) throws InterruptedException {
        try {
            return get(path).statusCode();
        } catch (IOException e) {
            return 0;
        }
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .build();
        return HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
    }

    private static List<JsonNode> json(List<String> output) {
        return output.stream()
                .filter(line -> line.startsWith("{"))
                .map(RelayJarIT::json)
                .toList();
    }

    private static JsonNode json(String line) {
        try {
            return new ObjectMapper().readTree(line);
        } catch (IOException e) {
            throw new AssertionError("not JSON: " + line, e);
        }
    }
}
