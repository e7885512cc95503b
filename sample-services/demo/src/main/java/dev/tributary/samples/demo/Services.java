package dev.tributary.samples.demo;

import dev.tributary.localstack.FreePort;
import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalPostgres;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** The relay and the three services, each a process of its own. Thread-safe. */
final class Services implements AutoCloseable {
    static final String RELAY = "relay";
    static final String SALES = "sales";
    static final String FULFILMENT = "fulfilment";
    static final String SUPPORT = "support";

    private static final Duration START_MAX = Duration.ofSeconds(60);
    // A killed service's partitions are its successor's once Kafka gives it up, which takes 45 s by default
    private static final String[] TAKEOVER = {"-Dkafka.session.timeout.ms=6000", "-Dkafka.heartbeat.interval.ms=2000"};
    // Small, and quick to start rather than quick at their best
    private static final String[] JVM = {"-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"};

    private final Installation installation;
    private final LocalPostgres postgres;
    private final String bootstrapServers;
    private final Map<String, Integer> ports = new ConcurrentHashMap<>();
    private final Map<String, JavaProcess> running = new ConcurrentHashMap<>();
    private final HttpClient http = HttpClient.newHttpClient();

    /** Starts nothing yet. */
    Services(Installation installation, LocalPostgres postgres, String bootstrapServers) {
        this.installation = installation;
        this.postgres = postgres;
        this.bootstrapServers = bootstrapServers;
        for (String name : List.of(RELAY, SALES, FULFILMENT, SUPPORT)) {
            ports.put(name, FreePort.next());
        }
    }

    /** Creates tables, publications and slots in the sources' databases, with the relay's own command. */
    void initSources() throws IOException {
        Files.writeString(installation.file("relay.yaml"), """
                relay:
                  kafka:
                    bootstrap.servers: %s
                  http: { host: 127.0.0.1, port: %d }
                  sources:
                    sales: { url: "%s", username: %s, password: %s }
                    fulfilment: { url: "%s", username: %s, password: %s }
                """.formatted(
                        bootstrapServers,
                        port(RELAY),
                        postgres.url(SALES),
                        LocalPostgres.USER,
                        LocalPostgres.PASSWORD,
                        postgres.url(FULFILMENT),
                        LocalPostgres.USER,
                        LocalPostgres.PASSWORD));
        try (JavaProcess init = relay("init").start()) {
            if (!init.waitFor(START_MAX) || init.exitCode() != 0) {
                throw new IllegalStateException("relay init failed, see " + installation.log(RELAY));
            }
        }
    }

    /** Starts one; returns at once. */
    void start(String name) {
        running.put(name, (name.equals(RELAY) ? relay("run") : service(name)).start());
    }

    /** SIGKILL. */
    void kill(String name) {
        JavaProcess process = running.remove(name);
        if (process != null) {
            process.kill();
        }
    }

    /** Returns once it answers over HTTP, whatever it answers. */
    void awaitAnswer(String name) throws InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(url(name).resolve("/health"))
                .timeout(Duration.ofSeconds(2))
                .build();
        long deadline = System.nanoTime() + START_MAX.toNanos();
        while (true) {
            try {
                http.send(request, BodyHandlers.discarding());
                return;
            } catch (IOException e) {
                JavaProcess process = running.get(name);
                if (process == null || !process.isAlive() || System.nanoTime() > deadline) {
                    throw new IllegalStateException(name + " did not start, see " + installation.log(name), e);
                }
                TimeUnit.MILLISECONDS.sleep(50);
            }
        }
    }

    URI url(String name) {
        return URI.create("http://127.0.0.1:" + port(name));
    }

    private int port(String name) {
        return ports.getOrDefault(name, 0);
    }

    private JavaProcess.Builder relay(String command) {
        return JavaProcess.jar(installation.jar(RELAY))
                .jvmArgs(JVM)
                .args(command, "--config", installation.file("relay.yaml").toString())
                .output(installation.log(RELAY));
    }

    private JavaProcess.Builder service(String name) {
        return JavaProcess.jar(installation.jar(name))
                .jvmArgs(JVM)
                .jvmArgs(TAKEOVER)
                .env(Map.of(
                        "MICRONAUT_SERVER_HOST",
                        "127.0.0.1",
                        "MICRONAUT_SERVER_PORT",
                        String.valueOf(port(name)),
                        "DATASOURCES_DEFAULT_URL",
                        postgres.url(name),
                        "KAFKA_BOOTSTRAP_SERVERS",
                        bootstrapServers))
                .output(installation.log(name));
    }

    @Override
    public void close() {
        running.keySet().forEach(this::kill);
    }
}
