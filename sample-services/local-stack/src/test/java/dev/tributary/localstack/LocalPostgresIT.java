package dev.tributary.localstack;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LocalPostgresIT {
    @Test
    void keepsWhatWasCommittedOverRestartAndKill() throws SQLException {
        try (LocalPostgres postgres = LocalPostgres.startOwn()) {
            String url = postgres.createDatabase("kept");
            int port = postgres.port();
            execute(postgres, url, "CREATE TABLE t AS SELECT 1 AS n");

            postgres.restart();
            execute(postgres, url, "INSERT INTO t VALUES (2)");
            postgres.kill();
            postgres.start();

            assertThat(query(postgres, url, "SELECT sum(n) FROM t")).isEqualTo("3");
            assertThat(postgres.port()).isEqualTo(port);
        }
    }

    @Test
    void answersNothingWhilePaused() throws Exception {
        try (LocalPostgres postgres = LocalPostgres.startOwn(Map.of("work_mem", "5MB"))) {
            String url = postgres.url("postgres");
            try (Connection connection = postgres.connect(url)) {
                postgres.pause();
                assertThat(connection.isValid(1)).isFalse();
                postgres.resume();
            }
            assertThat(query(postgres, url, "SHOW work_mem")).isEqualTo("5MB");
        }
    }

    @Test
    void isReadyForLogicalReplication() throws SQLException {
        LocalPostgres postgres = LocalPostgres.shared();
        String url = postgres.createDatabase("logical");

        assertThat(query(postgres, url, "SHOW wal_level")).isEqualTo("logical");
        assertThat(query(postgres, url, "SHOW server_version")).startsWith("18.");
        execute(postgres, url, "SELECT pg_create_logical_replication_slot('slot_of_logical', 'pgoutput')");
        postgres.dropDatabase(url);

        assertThat(query(postgres, postgres.url("postgres"), "SELECT count(*) FROM pg_replication_slots"))
                .isEqualTo("0");
    }

    private static void execute(LocalPostgres postgres, String url, String sql) throws SQLException {
        try (Connection connection = postgres.connect(url);
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String query(LocalPostgres postgres, String url, String sql) throws SQLException {
        try (Connection connection = postgres.connect(url);
                var statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }
}
