package dev.tributary.relay.setup;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/** A database of its own for a test, as a source that no other test has. */
record SourceDatabases(LocalPostgres postgres, SourceConfig source) implements AutoCloseable {

    static SourceDatabases create(LocalPostgres postgres) {
        String url = postgres.createDatabase("setup");
        return new SourceDatabases(postgres, source(url, LocalPostgres.USER));
    }

    private static SourceConfig source(String url, String username) {
        String name = url.substring(url.lastIndexOf('/') + 1);
        return new SourceConfig(
                name,
                url,
                username,
                LocalPostgres.PASSWORD,
                SourceConfig.Engine.PGOUTPUT,
                "${source}.${aggregate_type}",
                1);
    }

    SourceConfig as(String role) {
        return source(source.url(), role);
    }

    Connection connect() {
        return postgres.connect(source.url());
    }

    void execute(String... statements) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    /** All objects of the outbox with their row versions, and the publication and slot: what any change would change. */
    String fingerprint() throws SQLException {
        try (Connection connection = connect()) {
            return String.join("\n", Database.texts(connection, """
                            SELECT 'class ' || relname || xmin FROM pg_class
                                WHERE relnamespace = to_regnamespace('tributary')
                            UNION ALL SELECT 'proc ' || proname || xmin FROM pg_proc
                                WHERE pronamespace = to_regnamespace('tributary')
                            UNION ALL SELECT 'trigger ' || tgname || t.xmin FROM pg_trigger t
                                JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = to_regnamespace('tributary')
                            UNION ALL SELECT 'publication ' || pubname || xmin FROM pg_publication
                            UNION ALL SELECT 'slot ' || slot_name || restart_lsn FROM pg_replication_slots
                                WHERE database = current_database() AND NOT temporary
                            ORDER BY 1
                            """));
        }
    }

    @Override
    public void close() {
        postgres.dropDatabase(source.url());
    }
}
