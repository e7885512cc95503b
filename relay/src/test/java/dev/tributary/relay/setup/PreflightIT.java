package dev.tributary.relay.setup;

import static dev.tributary.relay.setup.PreflightTest.failures;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.relay.config.SlotLimits;
import dev.tributary.relay.config.SourceConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Servers that are not fit for the relay, each a real one of its own. */
class PreflightIT {
    @Test
    void findsThatTheServerKeepsTooLittleInItsWal() {
        try (LocalPostgres postgres = LocalPostgres.startOwn(Map.of("wal_level", "replica"));
                SourceDatabases database = SourceDatabases.create(postgres)) {
            Preparation preparation = Preparation.of(database.source());
            assertThat(org.assertj.core.api.Assertions.catchThrowableOfType(SetupException.class, preparation::run)
                            .findings())
                    .singleElement()
                    .extracting(Finding::remedy)
                    .asString()
                    .contains("wal_level");

            assertThat(failures(database.source()))
                    .anySatisfy(finding -> assertThat(finding)
                            .startsWith("wal_level: is replica, and changes can be read only from logical -> "))
                    .anySatisfy(finding -> assertThat(finding).startsWith("slot: "))
                    .hasSize(2);
        }
    }

    @Test
    void findsThatSlotsAndSendersHaveRunOut() throws SQLException {
        Map<String, String> tight = Map.of("max_replication_slots", "1", "max_wal_senders", "1");
        try (LocalPostgres postgres = LocalPostgres.startOwn(tight);
                SourceDatabases database = SourceDatabases.create(postgres)) {
            database.execute("SELECT pg_create_physical_replication_slot('somebody_elses')");
            try (var sender = Database.connectForReplication(database.source())) {
                assertThat(sender.isValid(60)).isTrue();
                assertThat(failures(database.source()))
                        .anySatisfy(finding -> assertThat(finding)
                                .startsWith("max_replication_slots: all 1 replication slots are in use -> Drop slots"))
                        .anySatisfy(finding ->
                                assertThat(finding).startsWith("max_wal_senders: all WAL senders are in use -> Raise"));
            }
            database.execute("SELECT pg_drop_replication_slot('somebody_elses')");
        }
    }

    @Test
    void findsThatTheSlotIsLost() throws SQLException {
        Map<String, String> forgetful =
                Map.of("max_slot_wal_keep_size", "1MB", "max_wal_size", "32MB", "min_wal_size", "32MB");
        try (LocalPostgres postgres = LocalPostgres.startOwn(forgetful);
                SourceDatabases database = SourceDatabases.create(postgres)) {
            Preparation.of(database.source()).run();
            assertThat(Preflight.of(database.source(), false))
                    .noneMatch(Finding::isFailure)
                    .anyMatch(f -> f.subject().equals("max_slot_wal_keep_size") && f.severity() == Finding.Severity.OK);

            for (int i = 0; i < 4; i++) {
                database.execute("SELECT pg_logical_emit_message(false, 'x', 'x')", "SELECT pg_switch_wal()");
            }
            await().untilAsserted(() -> {
                database.execute("CHECKPOINT");
                assertThat(failures(database.source()))
                        .singleElement()
                        .asString()
                        .contains("is lost: the server no longer has the WAL it needs (wal_removed)");
            });
        }
    }

    @Test
    void findsWhatMayCostTheSlotSomeDay() throws SQLException {
        try (LocalPostgres postgres = LocalPostgres.startOwn(Map.of("idle_replication_slot_timeout", "1h"));
                SourceDatabases database = SourceDatabases.create(postgres)) {
            Preparation.of(database.source()).run();
            database.execute(
                    "CREATE ROLE relay LOGIN REPLICATION",
                    "GRANT USAGE ON SCHEMA tributary TO relay",
                    "GRANT SELECT ON tributary.aggregate TO relay",
                    "SELECT pg_drop_replication_slot('" + database.source().slot() + "')",
                    "SELECT pg_create_logical_replication_slot('"
                            + database.source().slot() + "', 'pgoutput')");
            assertThat(warnings(database.as("relay")))
                    .anyMatch(finding -> finding.startsWith("max_slot_wal_keep_size: is not set"))
                    .anyMatch(finding -> finding.startsWith("idle_replication_slot_timeout: is set"))
                    .anyMatch(finding -> finding.startsWith("slot: ") && finding.contains("does not fail over"))
                    .anyMatch(finding -> finding.startsWith("recover: role 'relay' may not read"));
            assertThat(warnings(database.source().withSlotLimits(new SlotLimits(1L << 40, Duration.ofMinutes(1)))))
                    .noneMatch(finding -> finding.contains("is not set"));
        }
    }

    private static List<String> warnings(SourceConfig source) {
        return Preflight.of(source, false).stream()
                .filter(finding -> finding.severity() == Finding.Severity.WARNING)
                .map(finding -> finding.subject() + ": " + finding.message())
                .toList();
    }

    @Test
    void findsAWrongPasswordWithoutTellingIt(@TempDir Path directory) throws IOException, SQLException {
        Path hba = directory.resolve("pg_hba.conf");
        Files.writeString(hba, """
                local all all trust
                host all postgres 127.0.0.1/32 trust
                host all all 127.0.0.1/32 scram-sha-256
                """);
        try (LocalPostgres postgres = LocalPostgres.startOwn(Map.of("hba_file", hba.toString()));
                SourceDatabases database = SourceDatabases.create(postgres)) {
            database.execute("CREATE ROLE relay LOGIN REPLICATION PASSWORD 'right'");

            assertThat(failures(database.as("relay")))
                    .singleElement()
                    .asString()
                    .contains("the server refuses role 'relay': FATAL: password authentication failed")
                    .contains(database.source().key("password"))
                    .doesNotContain("'" + LocalPostgres.PASSWORD + "'");
        }
    }
}
