package dev.tributary.relay.setup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.retention.OutboxRetention;
import dev.tributary.outbox.retention.RetentionSettings;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** All that there is in the schema, whoever has made it and whenever: who may do what with it, and nobody anything else. */
class RightsTest {
    private static final String DENIED = "42501";

    private SourceDatabases database;
    private String login;
    private OutboxRetention retention;

    @BeforeEach
    void createDatabase() throws SQLException {
        database = SourceDatabases.create(LocalPostgres.shared());
        login = database.source().name() + "_stranger";
        Preparation.of(database.source(), false, true).run();
        database.execute("CREATE ROLE " + login + " LOGIN", "CREATE TABLE business (id int)");
        retention = new OutboxRetention(
                database::connect,
                new RetentionSettings(Duration.ofHours(3), Duration.ofHours(1), 2, Duration.ofSeconds(20)));
        retention.turn();
    }

    @AfterEach
    void dropDatabase() throws SQLException {
        retention.close();
        database.execute("DROP OWNED BY " + login);
        String url = database.source().url();
        database.close();
        try (Connection connection = LocalPostgres.shared().connect(url.replaceFirst("/[^/]*$", "/postgres"));
                Statement statement = connection.createStatement()) {
            statement.execute("DROP ROLE " + login);
        }
    }

    /** A table or right that is new has to be thought of here. */
    @Test
    void nobodyMayMoreThanIsListed() throws SQLException {
        assertThat(texts("SELECT grantee::regrole || ' ' || privilege || ' ' || name FROM ("
                        + " SELECT relname AS name, (aclexplode(relacl)).grantee, (aclexplode(relacl)).privilege_type AS privilege,"
                        + " relowner FROM pg_class WHERE relnamespace = 'tributary'::regnamespace"
                        + " UNION ALL SELECT relname || '.' || attname, (aclexplode(attacl)).grantee,"
                        + " (aclexplode(attacl)).privilege_type, relowner FROM pg_attribute JOIN pg_class c ON c.oid = attrelid"
                        + " WHERE relnamespace = 'tributary'::regnamespace"
                        + " UNION ALL SELECT 'schema', (aclexplode(nspacl)).grantee, (aclexplode(nspacl)).privilege_type, nspowner"
                        + " FROM pg_namespace WHERE nspname = 'tributary') a WHERE grantee <> relowner ORDER BY 1"))
                .containsExactlyInAnyOrder(
                        "tributary_reader SELECT aggregate",
                        "tributary_reader SELECT event_store",
                        "tributary_reader SELECT event_store_readable",
                        "tributary_reader SELECT outbox",
                        "tributary_reader SELECT outbox_readable",
                        "tributary_reader SELECT snapshot",
                        "tributary_reader USAGE schema",
                        "tributary_relay INSERT dead_letter",
                        "tributary_relay SELECT aggregate",
                        "tributary_relay SELECT dead_letter",
                        "tributary_relay SELECT event_store",
                        "tributary_relay SELECT outbox",
                        "tributary_relay SELECT outbox_dropped",
                        "tributary_relay UPDATE dead_letter",
                        "tributary_relay USAGE schema",
                        "tributary_writer INSERT aggregate",
                        "tributary_writer INSERT event_store",
                        "tributary_writer INSERT outbox",
                        "tributary_writer INSERT snapshot",
                        "tributary_writer SELECT aggregate",
                        "tributary_writer SELECT snapshot.aggregate_id",
                        "tributary_writer SELECT snapshot.aggregate_type",
                        "tributary_writer UPDATE aggregate.room",
                        "tributary_writer UPDATE aggregate.sequence",
                        "tributary_writer UPDATE snapshot.sequence",
                        "tributary_writer UPDATE snapshot.state",
                        "tributary_writer UPDATE snapshot.type",
                        "tributary_writer USAGE schema");
        assertThat(texts("SELECT proname FROM pg_proc WHERE pronamespace = 'tributary'::regnamespace AND prosecdef"))
                .as("functions that run with their owner's rights")
                .isEmpty();
        assertThat(texts("SELECT relname FROM pg_class WHERE relnamespace = 'tributary'::regnamespace"
                        + " AND relkind = 'S'"))
                .as("sequences")
                .isEmpty();
        assertThat(texts("SELECT rolname FROM pg_roles WHERE rolname IN"
                        + " ('tributary_writer', 'tributary_reader', 'tributary_relay') AND (rolcanlogin OR rolsuper OR"
                        + " rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)"))
                .isEmpty();
    }

    @Test
    void aWriterSeesAndChangesNothingByDetours() throws SQLException {
        String partition = partition();
        try (Connection connection = as("tributary_writer")) {
            run(connection, "SELECT tributary.publish('account', 'a', 'a.v1', '{}')");
            connection.commit();
            denied(
                    connection,
                    "SELECT FROM " + partition,
                    "INSERT INTO " + partition
                            + " SELECT gen_random_uuid(), 'a', 'a', 1, 'a.v1', 'a/b', '', NULL, now()",
                    "UPDATE " + partition + " SET type = 'b.v1'",
                    "DELETE FROM " + partition,
                    "DROP TABLE " + partition,
                    "ALTER TABLE tributary.outbox DETACH PARTITION " + partition,
                    "CREATE TABLE mine PARTITION OF tributary.outbox FOR VALUES FROM ('2001-01-01') TO ('2001-01-02')",
                    "INSERT INTO tributary.outbox VALUES (gen_random_uuid(), 'a', 'a', 1, 'a.v1', 'a/b', '', NULL, now())"
                            + " RETURNING payload",
                    "INSERT INTO tributary.event_store VALUES (gen_random_uuid(), 'a', 'a', 1, 'a.v1', 'a/b', '', NULL, now())"
                            + " ON CONFLICT (aggregate_type, aggregate_id, sequence) DO UPDATE SET type = 'b.v1'",
                    "COPY tributary.outbox TO STDOUT",
                    "LOCK TABLE tributary.outbox IN ACCESS EXCLUSIVE MODE",
                    "CREATE TRIGGER spy BEFORE INSERT ON tributary.outbox FOR EACH ROW EXECUTE FUNCTION tributary.refuse_update()",
                    "ALTER TABLE tributary.outbox DISABLE TRIGGER ALL",
                    "CREATE RULE spy AS ON INSERT TO tributary.outbox DO ALSO NOTHING",
                    "CREATE FUNCTION tributary.uuid_v8() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
                    "CREATE OR REPLACE FUNCTION tributary.uuid_v7() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
                    "ALTER PUBLICATION tributary ADD TABLE business",
                    "SELECT * FROM pg_logical_slot_peek_binary_changes('"
                            + database.source().slot()
                            + "', NULL, NULL, 'proto_version', '1', 'publication_names', 'tributary')",
                    "SELECT pg_create_logical_replication_slot('spy', 'pgoutput')",
                    "SELECT FROM tributary.outbox_partition",
                    "UPDATE tributary.outbox_partition SET watched = '1 year'",
                    "SELECT FROM tributary.outbox_dropped",
                    "SET ROLE tributary_reader",
                    "SELECT * FROM business");
            database.execute("ANALYZE tributary.outbox, tributary.event_store");
            assertThat(Database.texts(
                            connection,
                            "SELECT attname FROM pg_stats WHERE schemaname = 'tributary' AND tablename <> 'aggregate'"))
                    .as("samples of values")
                    .isEmpty();
        }
    }

    @Test
    void aReaderSeesPartitionsThroughTheirTableAlone() throws SQLException {
        String partition = partition();
        database.execute("SELECT tributary.publish('account', 'a', 'a.v1', '{}')");
        try (Connection connection = as("tributary_reader")) {
            assertThat(Database.texts(connection, "SELECT aggregate_id FROM tributary.outbox"))
                    .containsExactly("a");
            denied(
                    connection,
                    "SELECT FROM " + partition,
                    "DELETE FROM " + partition,
                    "SELECT FROM tributary.dead_letter",
                    "SELECT tributary.write_event(gen_random_uuid(), 'a', 'a', 'a.v1', 'a/b', '', NULL, NULL)",
                    "SELECT tributary.advance_aggregate('account', 'a', 1, NULL)",
                    "LOCK TABLE tributary.outbox IN SHARE MODE",
                    "TRUNCATE tributary.event_store");
        }
    }

    @Test
    void aStrangerAndTheRelaysRoleGetNowhere() throws SQLException {
        String partition = partition();
        try (Connection connection = as()) {
            denied(
                    connection,
                    "SELECT FROM tributary.outbox",
                    "SELECT FROM " + partition,
                    "SELECT tributary.publish('account', 'a', 'a.v1', '{}')",
                    "SELECT FROM tributary.outbox_readable");
        }
        try (Connection connection = as("tributary_relay")) {
            denied(
                    connection,
                    "SELECT FROM business",
                    "DROP TABLE " + partition,
                    "DELETE FROM " + partition,
                    "INSERT INTO tributary.outbox_dropped (lsn) VALUES ('0/0')",
                    "UPDATE tributary.outbox_partition SET watched = '1 year'",
                    "INSERT INTO tributary.outbox SELECT * FROM tributary.outbox",
                    "CREATE TABLE tributary.mine (id int)",
                    "ALTER PUBLICATION tributary ADD TABLE business");
        }
    }

    private List<String> texts(String query) throws SQLException {
        try (Connection connection = database.connect()) {
            return Database.texts(connection, query);
        }
    }

    /** One that retention has made, and that is written to now. */
    private String partition() throws SQLException {
        return texts("SELECT 'tributary.' || name FROM tributary.outbox_partition WHERE upper_bound IS NOT NULL"
                        + " ORDER BY upper_bound")
                .get(0);
    }

    private Connection as(String... roles) throws SQLException {
        for (String role : roles) {
            database.execute("GRANT " + role + " TO " + login);
        }
        Connection connection = DriverManager.getConnection(database.source().url(), login, LocalPostgres.PASSWORD);
        connection.setAutoCommit(false);
        return connection;
    }

    private static void run(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static void denied(Connection connection, String... statements) throws SQLException {
        for (String sql : List.of(statements)) {
            assertThatThrownBy(() -> run(connection, sql))
                    .as(sql)
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo(DENIED));
            connection.rollback();
        }
    }
}
