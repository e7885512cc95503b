package dev.tributary.localstack;

import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * Containers, through Testcontainers, which has to be on the class path. System properties name other images:
 * {@code tributary.stack.postgres.image} and {@code tributary.stack.kafka.image}.
 *
 * <p>Plain ones: Testcontainers' own for Kafka runs the broker below a shell that keeps signals to itself, so that
 * stopping it would take until somebody kills it. It does so to learn the port, which is known beforehand here.
 */
final class Containers implements Backend {
    private static final int POSTGRES_PORT = 5432;
    private static final int KAFKA_PORT = 9092;

    @Override
    @SuppressWarnings("resource") // The server closes it
    public Server postgres(Map<String, String> settings) {
        List<String> command = new ArrayList<>(List.of("postgres"));
        settings.forEach((name, value) -> command.addAll(List.of("-c", name + "=" + value)));
        GenericContainer<?> container = new GenericContainer<>(image("postgres", "postgres:18"))
                .withEnv("POSTGRES_USER", LocalPostgres.USER)
                .withEnv("POSTGRES_PASSWORD", LocalPostgres.PASSWORD)
                .withCommand(command.toArray(String[]::new));
        return new ContainerServer(container, FreePort.next(), POSTGRES_PORT, Containers::acceptsSql);
    }

    @Override
    @SuppressWarnings("resource") // The server closes it
    public Server kafka(Map<String, String> properties) {
        int port = FreePort.next();
        GenericContainer<?> container = new GenericContainer<>(image("kafka", "apache/kafka:4.3.1"))
                .withEnv("CLUSTER_ID", Uuid.randomUuid().toString());
        listeners(port).forEach((name, value) -> container.addEnv(variable(name), value));
        properties.forEach((name, value) -> container.addEnv(variable(name), value));
        return new ContainerServer(container, port, KAFKA_PORT, KafkaReadiness::isReached);
    }

    /** The broker talks to itself through a listener of its own: the published port is not there within the container. */
    private static Map<String, String> listeners(int port) {
        return Map.of(
                "process.roles",
                "broker,controller",
                "node.id",
                "1",
                "controller.quorum.voters",
                "1@localhost:9094",
                "listeners",
                "PLAINTEXT://0.0.0.0:" + KAFKA_PORT + ",INTERNAL://localhost:9093,CONTROLLER://localhost:9094",
                "advertised.listeners",
                "PLAINTEXT://127.0.0.1:" + port + ",INTERNAL://localhost:9093",
                "listener.security.protocol.map",
                "PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
                "inter.broker.listener.name",
                "INTERNAL",
                "controller.listener.names",
                "CONTROLLER");
    }

    /** The environment variable from which the image takes a broker property, whose name has dots only. */
    private static String variable(String property) {
        return "KAFKA_" + property.replace('.', '_').toUpperCase(Locale.ROOT);
    }

    private static DockerImageName image(String server, String fallback) {
        return DockerImageName.parse(System.getProperty("tributary.stack." + server + ".image", fallback));
    }

    private static boolean acceptsSql(int port) {
        String url = "jdbc:postgresql://127.0.0.1:" + port + "/postgres";
        try (var connection = DriverManager.getConnection(url, LocalPostgres.USER, LocalPostgres.PASSWORD)) {
            return connection.isValid(1);
        } catch (SQLException e) {
            return false;
        }
    }
}
