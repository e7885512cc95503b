package dev.tributary.localstack;

import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.testcontainers.kafka.KafkaContainer;
import org.testcontainers.postgresql.PostgreSQLContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * Containers, through Testcontainers, which has to be on the class path. System properties name other images:
 * {@code tributary.stack.postgres.image} and {@code tributary.stack.kafka.image}.
 */
final class Containers implements Backend {
    private static final int POSTGRES_PORT = 5432;
    private static final int KAFKA_PORT = 9092;

    @Override
    @SuppressWarnings("resource") // The server closes it
    public Server postgres(Map<String, String> settings) {
        List<String> command = new ArrayList<>(List.of("postgres"));
        settings.forEach((name, value) -> command.addAll(List.of("-c", name + "=" + value)));
        PostgreSQLContainer container = new PostgreSQLContainer(image("postgres", "postgres:18"))
                .withUsername(LocalPostgres.USER)
                .withPassword(LocalPostgres.PASSWORD)
                .withDatabaseName("postgres");
        container.setCommand(command.toArray(String[]::new));
        return new ContainerServer(container, POSTGRES_PORT, Containers::acceptsSql);
    }

    @Override
    @SuppressWarnings("resource") // The server closes it
    public Server kafka(Map<String, String> properties) {
        KafkaContainer container = new KafkaContainer(image("apache/kafka", "apache/kafka:4.3.1"));
        properties.forEach((name, value) ->
                container.withEnv("KAFKA_" + name.replace('.', '_').toUpperCase(Locale.ROOT), value));
        return new ContainerServer(container, KAFKA_PORT, KafkaReadiness::isReached);
    }

    private static DockerImageName image(String compatibleWith, String fallback) {
        String kind = compatibleWith.substring(compatibleWith.indexOf('/') + 1);
        String name = System.getProperty("tributary.stack." + kind + ".image", fallback);
        return DockerImageName.parse(name).asCompatibleSubstituteFor(compatibleWith);
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
