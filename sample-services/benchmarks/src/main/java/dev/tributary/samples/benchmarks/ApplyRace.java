package dev.tributary.samples.benchmarks;

import dev.tributary.consumer.ConsumerSchema;
import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/** Has one applier after the other apply a whole topic to a database of its own, and measures the part behind the warm-up. */
final class ApplyRace {
    private final LocalPostgres postgres;
    private final LocalKafka kafka;
    private final List<String> jvmArguments;

    ApplyRace(LocalPostgres postgres, LocalKafka kafka, List<String> jvmArguments) {
        this.postgres = postgres;
        this.kafka = kafka;
        this.jvmArguments = jvmArguments;
    }

    ApplyMeasurement run(Applier applier, CustomerTopic topic, int warmUp) throws SQLException, InterruptedException {
        String url = postgres.createDatabase("apply");
        try (Connection connection = postgres.connect(url);
                Statement statement = connection.createStatement()) {
            ConsumerSchema.apply(connection);
            statement.execute("CREATE TABLE customer " + CustomerChanged.TABLE);
            statement.execute("CREATE TABLE copied AS TABLE customer");
            statement.execute("CREATE TABLE inbox (id uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())");
            statement.execute("CHECKPOINT");
        }
        JavaProcess.Builder program = JavaProcess.main(ApplyMain.class)
                .args(
                        applier.name(),
                        kafka.bootstrapServers(),
                        topic.name(),
                        url,
                        Integer.toString(warmUp),
                        Integer.toString(topic.events()))
                .jvmArgs(jvmArguments.toArray(String[]::new));
        try (CountedProcess process = new CountedProcess(postgres, url, applier.title(), program)) {
            ApplyMeasurement measured = process.measure();
            if (applier.keepsTheView()) {
                topic.check(applier.title(), postgres, url, "customer");
            }
            return measured;
        } finally {
            postgres.dropDatabase(url);
        }
    }
}
