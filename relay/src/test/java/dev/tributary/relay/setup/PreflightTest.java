package dev.tributary.relay.setup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.setup.Finding.Severity;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.postgresql.PGConnection;

class PreflightTest {
    private SourceDatabases database;

    @BeforeEach
    void createDatabase() {
        database = SourceDatabases.create(LocalPostgres.shared());
        Preparation.of(database.source()).run();
    }

    @AfterEach
    void dropDatabase() {
        database.close();
    }

    @Test
    void findsNothingWrongWithAHealthyDatabaseExceptThatWalIsNotLimited() {
        List<Finding> findings = Preflight.of(database.source(), false);

        assertThat(findings)
                .filteredOn(f -> f.severity() != Severity.OK)
                .singleElement()
                .satisfies(f -> assertThat(f.subject()).isEqualTo("max_slot_wal_keep_size"))
                .satisfies(f -> assertThat(f.severity()).isEqualTo(Severity.WARNING));
        assertThat(findings)
                .extracting(Finding::subject)
                .contains("server", "wal_level", "replication", "table", "publication", "slot", "topics");
    }

    @Test
    void findsEverythingAtOnce() throws SQLException {
        String role = database.source().name() + "_weak";
        database.execute(
                "SELECT pg_drop_replication_slot('" + database.source().slot() + "')",
                "DROP PUBLICATION tributary",
                "ALTER TABLE tributary.outbox DROP COLUMN headers CASCADE",
                "DROP TABLE tributary.event_store CASCADE",
                "CREATE ROLE " + role + " LOGIN");
        try {
            assertThat(failures(database.as(role)))
                    .containsExactlyInAnyOrder(
                            "replication: role '" + role + "' may not replicate -> ALTER ROLE \"" + role
                                    + "\" REPLICATION (on Amazon RDS: GRANT rds_replication)",
                            "table: role '" + role + "' may not read tributary.aggregate, from which the relay learns"
                                    + " what topics to make -> GRANT USAGE ON SCHEMA tributary TO \"" + role
                                    + "\"; GRANT SELECT ON tributary.aggregate TO \"" + role + "\"",
                            "table: role '" + role
                                    + "' may not use tributary.dead_letter, where events are set aside ->"
                                    + " GRANT SELECT ON tributary.dead_letter TO \"" + role + "\"",
                            "table: tributary.event_store does not exist -> Run 'relay init'",
                            "table: tributary.outbox lacks the columns [headers json] -> It is not the outbox that this"
                                    + " relay reads, or somebody altered it: restore these columns",
                            "publication: tributary does not exist -> Run 'relay init'",
                            "slot: " + database.source().slot() + " does not exist -> Run 'relay init'");
        } finally {
            database.execute("DROP ROLE " + role);
        }
    }

    @Test
    void isContentWithARoleThatMayDoNoMoreThanItMust() throws SQLException {
        String role = database.source().name() + "_least";
        database.execute(
                "CREATE ROLE " + role + " LOGIN REPLICATION",
                "GRANT USAGE ON SCHEMA tributary TO " + role,
                "GRANT SELECT ON tributary.aggregate, tributary.dead_letter TO " + role);
        try {
            assertThat(failures(database.as(role))).isEmpty();
        } finally {
            database.execute("DROP OWNED BY " + role, "DROP ROLE " + role);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    ALTER PUBLICATION tributary SET (publish = 'insert, delete') | publishes [insert, delete] and not just inserts
                    ALTER PUBLICATION tributary SET (publish_via_partition_root = false) | publishes partitions under their own names
                    ALTER PUBLICATION tributary ADD TABLE tributary.aggregate | covers [tributary.aggregate, tributary.event_store, tributary.outbox] instead of
                    ALTER PUBLICATION tributary DROP TABLE tributary.event_store | covers [tributary.outbox] instead of
                    """)
    void findsAnAlteredPublication(String alteration, String problem) throws SQLException {
        findsIt(alteration, problem);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    ALTER PUBLICATION tributary SET TABLE tributary.outbox WHERE (type <> 'x'), tributary.event_store | hides rows or columns of [tributary.outbox]
                    ALTER PUBLICATION tributary SET TABLE tributary.outbox, tributary.event_store (id) | hides rows or columns of [tributary.event_store]
                    """)
    void findsAPublicationThatHidesSome(String alteration, String problem) throws SQLException {
        assumeTrue(LocalPostgres.shared().version() >= 15, "publications hide nothing before PostgreSQL 15");
        findsIt(alteration, problem);
    }

    private void findsIt(String alteration, String problem) throws SQLException {
        database.execute(alteration);

        assertThat(failures(database.source()))
                .singleElement()
                .asString()
                .contains("publication: tributary " + problem)
                .contains("-> While no service writes events and the relay is stopped")
                .contains("ALTER PUBLICATION tributary SET ");
    }

    @Test
    void findsAPublicationOfAllTables() throws SQLException {
        database.execute(
                "DROP PUBLICATION tributary",
                "CREATE TABLE other (id int)",
                "CREATE PUBLICATION tributary FOR ALL TABLES WITH (publish = 'insert', publish_via_partition_root)");

        assertThat(failures(database.source())).singleElement().asString().contains("covers [public.other, ");
    }

    @Test
    void findsASlotOfAnotherKind() throws SQLException {
        database.execute(
                "SELECT pg_drop_replication_slot('" + database.source().slot() + "')",
                "SELECT pg_create_physical_replication_slot('"
                        + database.source().slot() + "')");
        try {
            assertThat(failures(database.source()))
                    .singleElement()
                    .asString()
                    .contains("is physical, not logical with pgoutput");
        } finally {
            database.execute(
                    "SELECT pg_drop_replication_slot('" + database.source().slot() + "')");
        }
    }

    @Test
    void findsASlotOfAnotherDatabase() throws SQLException {
        try (SourceDatabases other = SourceDatabases.create(LocalPostgres.shared())) {
            Preparation.of(other.source()).run();
            SourceConfig sameName = new SourceConfig(
                    other.source().name(),
                    database.source().url(),
                    LocalPostgres.USER,
                    LocalPostgres.PASSWORD,
                    SourceConfig.Engine.PGOUTPUT,
                    "${source}.${aggregate_type}",
                    1);

            assertThat(failures(sameName))
                    .singleElement()
                    .asString()
                    .contains("belongs to database '" + other.source().name() + "'");
        }
    }

    @Test
    void findsThatSomeoneElseReadsTheSlot() throws SQLException {
        try (Connection reader = Database.connectForReplication(database.source())) {
            var stream = reader.unwrap(PGConnection.class)
                    .getReplicationAPI()
                    .replicationStream()
                    .logical()
                    .withSlotName(database.source().slot())
                    .withSlotOption("proto_version", "1")
                    .withSlotOption("publication_names", "tributary")
                    .start();
            assertThat(failures(database.source()))
                    .singleElement()
                    .asString()
                    .contains("is being read by someone else: process ")
                    .contains("application 'tributary-relay-setup' from 127.0.0.1");
            assertThat(Preflight.of(database.source(), true)).noneMatch(Finding::isFailure);
            stream.close();
        }
    }

    @Test
    void saysWhatIsWrongWithTheWayToTheDatabase() {
        SourceConfig good = database.source();
        assertThat(failures(at(good, "jdbc:postgresql://127.0.0.1:1/x", "r")))
                .singleElement()
                .asString()
                .startsWith("connection: the database at jdbc:postgresql://127.0.0.1:1/x cannot be reached: ")
                .contains(good.key("url"));
        assertThat(failures(at(good, "jdbc:postgresql://no-such-host.invalid/x", "r")))
                .singleElement()
                .asString()
                .contains("(unknown host no-such-host.invalid)");
        assertThat(failures(at(good, LocalPostgres.shared().url("nowhere"), LocalPostgres.USER)))
                .singleElement()
                .asString()
                .contains("there is no such database");
        assertThat(failures(at(good, good.url(), "nobody")))
                .singleElement()
                .asString()
                .contains("the server refuses role 'nobody'")
                .contains(good.key("username"));
    }

    @Test
    void looksAtWhatDebeziumNeedsBesides() throws SQLException {
        String emit = "FUNCTION pg_logical_emit_message(boolean, text, text"
                + (LocalPostgres.shared().version() < 17 ? ")" : ", boolean)");
        SourceConfig debezium = database.source().withEngine(SourceConfig.Engine.DEBEZIUM);
        assertThat(Preflight.of(debezium, false))
                .anyMatch(finding -> finding.message().equals("debezium"));

        String role = debezium.name() + "_weak";
        database.execute("CREATE ROLE " + role + " LOGIN REPLICATION", "REVOKE EXECUTE ON " + emit + " FROM PUBLIC");
        try {
            assertThat(failures(database.as(role).withEngine(SourceConfig.Engine.DEBEZIUM)))
                    .anyMatch(failure -> failure.startsWith("engine: the role may not write messages"));
        } finally {
            database.execute("GRANT EXECUTE ON " + emit + " TO PUBLIC", "DROP ROLE " + role);
        }
    }

    private static SourceConfig at(SourceConfig source, String url, String username) {
        return new SourceConfig(
                source.name(), url, username, source.password(), source.engine(), source.topic(), source.epoch());
    }

    static List<String> failures(SourceConfig source) {
        return Preflight.of(source, false).stream()
                .filter(Finding::isFailure)
                .map(f -> f.subject() + ": " + f.message() + " -> " + f.remedy())
                .toList();
    }
}
