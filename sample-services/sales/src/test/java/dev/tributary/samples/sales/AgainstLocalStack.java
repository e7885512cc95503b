package dev.tributary.samples.sales;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import io.micronaut.test.support.TestPropertyProvider;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import org.junit.jupiter.api.TestInstance;

/** The service on a real PostgreSQL and Kafka, with a database of the test class's own. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class AgainstLocalStack implements TestPropertyProvider {
    protected static final LocalKafka KAFKA = LocalKafka.shared();
    private static final LocalPostgres POSTGRES = LocalPostgres.shared();

    private final String database = POSTGRES.createDatabase("sales");

    @Override
    public final Map<String, String> getProperties() {
        return Map.of(
                "datasources.default.url",
                database,
                "kafka.bootstrap.servers",
                KAFKA.bootstrapServers(),
                "micronaut.server.port",
                "-1");
    }

    /** The only column of the query's only row, as text. */
    protected final String value(String sql) throws SQLException {
        try (Connection connection = POSTGRES.connect(database);
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            assertThat(rows.next()).as(sql).isTrue();
            return rows.getString(1);
        }
    }

    protected final void execute(String sql) throws SQLException {
        try (Connection connection = POSTGRES.connect(database);
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
