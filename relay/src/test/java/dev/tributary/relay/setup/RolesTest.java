package dev.tributary.relay.setup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.AppendResult;
import dev.tributary.outbox.EventStore;
import dev.tributary.outbox.EventTypes;
import dev.tributary.outbox.NewEvent;
import dev.tributary.outbox.NewSnapshot;
import dev.tributary.outbox.Outbox;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What each of the roles may do, and what it may not. */
class RolesTest {
    private static final String DENIED = "42501";
    private static final EventTypes TYPES =
            EventTypes.builder().register("account.opened", 1, Opened.class).build();
    private static final Outbox OUTBOX = Outbox.of(TYPES);
    private static final EventStore STORE = EventStore.of(TYPES);

    private SourceDatabases database;
    private String login;

    record Opened(String owner) {}

    record State(String owner) {}

    @BeforeEach
    void createDatabase() throws SQLException {
        database = SourceDatabases.create(LocalPostgres.shared());
        login = database.source().name() + "_login";
        Preparation.of(database.source(), false, true).run();
        database.execute("CREATE TABLE business (id int)", "CREATE ROLE " + login + " LOGIN REPLICATION");
    }

    @AfterEach
    void dropDatabase() throws SQLException {
        database.execute("DROP OWNED BY " + login);
        String url = database.source().url();
        database.close();
        try (Connection connection = LocalPostgres.shared().connect(url.replaceFirst("/[^/]*$", "/postgres"));
                Statement statement = connection.createStatement()) {
            statement.execute("DROP ROLE " + login);
        }
    }

    private Connection as(String... roles) throws SQLException {
        for (String role : roles) {
            database.execute("GRANT " + role + " TO " + login);
        }
        Connection connection = DriverManager.getConnection(database.source().url(), login, LocalPostgres.PASSWORD);
        connection.setAutoCommit(false);
        return connection;
    }

    private static void denied(Connection connection, String... statements) throws SQLException {
        for (String sql : statements) {
            try (Statement statement = connection.createStatement()) {
                assertThatThrownBy(() -> statement.execute(sql))
                        .as(sql)
                        .isInstanceOfSatisfying(SQLException.class, e -> assertThat(e.getSQLState())
                                .isEqualTo(DENIED));
            }
            connection.rollback();
        }
    }

    private static NewEvent opened(String id) {
        return NewEvent.of("account", id, new Opened("Ann"));
    }

    @Test
    void initCreatesThemOnceAndMendsWhatTheyLack() throws SQLException {
        assertThat(Preparation.of(database.source(), false, true).titles()).isEmpty();
        database.execute("REVOKE UPDATE (state) ON tributary.snapshot FROM tributary_writer");
        Preparation mending = Preparation.of(database.source(), false, true);
        assertThat(mending.titles()).containsExactly("roles tributary_writer, tributary_reader, tributary_relay");
        mending.run();
        assertThat(Preparation.of(database.source(), false, true).titles()).isEmpty();
        assertThat(Preparation.of(database.source()).titles()).isEmpty();
    }

    @Test
    void writerPublishesAndAppendsInEveryWayAndSeesAndChangesNoEvent() throws SQLException {
        try (Connection connection = as("tributary_writer")) {
            OUTBOX.publish(connection, opened("a"));
            OUTBOX.publish(connection, opened("a").unsequenced());
            OUTBOX.publish(
                    connection, List.of(opened("a"), opened("b"), opened("c").unsequenced()));
            OUTBOX.publish(
                    connection,
                    List.of(opened("a").expectingSequence(3), opened("d").expectingSequence(1)));
            assertThat(STORE.append(connection, 0, List.of(opened("e")))).isInstanceOf(AppendResult.Appended.class);
            assertThat(STORE.append(connection, 0, List.of(opened("e")))).isInstanceOf(AppendResult.Conflict.class);
            assertThat(STORE.append(
                            connection,
                            1L,
                            List.of(opened("e"), opened("e")),
                            new NewSnapshot("account-state.v1", new State("Ann"))))
                    .isInstanceOf(AppendResult.Appended.class);
            assertThat(STORE.lock(connection, "account", "e")).isEqualTo(3);
            try (Statement statement = connection.createStatement()) {
                statement.execute("SELECT tributary.publish('account', 'f', 'account.opened.v1', '{}')");
                statement.execute("SELECT * FROM tributary.append('account', 'g', 0, 'account.opened.v1', '{}')");
            }
            connection.commit();
            denied(
                    connection,
                    "SELECT FROM tributary.outbox",
                    "SELECT FROM tributary.outbox_default",
                    "SELECT FROM tributary.event_store",
                    "SELECT FROM tributary.outbox_readable",
                    "SELECT FROM tributary.event_store_readable",
                    "SELECT state FROM tributary.snapshot",
                    "SELECT FROM tributary.dead_letter",
                    "UPDATE tributary.outbox SET type = 'x.v1'",
                    "UPDATE tributary.event_store SET type = 'x.v1'",
                    "DELETE FROM tributary.outbox",
                    "DELETE FROM tributary.event_store",
                    "DELETE FROM tributary.aggregate",
                    "DELETE FROM tributary.snapshot",
                    "UPDATE tributary.aggregate SET aggregate_id = 'x'",
                    "TRUNCATE tributary.outbox",
                    "DROP TABLE tributary.outbox_default",
                    "CREATE TABLE tributary.mine (id int)",
                    "SELECT FROM business");
        }
    }

    @Test
    void readerReadsAndWritesNothing() throws SQLException {
        try (Connection connection = database.connect()) {
            connection.setAutoCommit(false);
            STORE.append(connection, List.of(opened("e"), opened("e")));
            connection.commit();
        }
        try (Connection connection = as("tributary_reader")) {
            assertThat(STORE.load(connection, "account", "e")).hasSize(2);
            try (Statement statement = connection.createStatement()) {
                statement.execute("SELECT payload FROM tributary.event_store_readable");
                statement.execute("SELECT payload FROM tributary.outbox_readable");
            }
            denied(
                    connection,
                    "SELECT tributary.publish('account', 'f', 'account.opened.v1', '{}')",
                    "SELECT * FROM tributary.append('account', 'e', 2, 'account.opened.v1', '{}')",
                    "INSERT INTO tributary.outbox SELECT * FROM tributary.event_store",
                    "DELETE FROM tributary.event_store",
                    "SELECT FROM tributary.aggregate FOR UPDATE",
                    "SELECT FROM business");
        }
    }

    @Test
    void relayIsContentWithItsRoleAndCannotTouchBusinessTables() throws SQLException {
        database.execute("GRANT pg_read_all_stats TO " + login);
        try (Connection connection = as("tributary_relay")) {
            assertThat(Preflight.of(database.as(login), false)).noneMatch(Finding::isFailure);
            denied(
                    connection,
                    "SELECT FROM business",
                    "INSERT INTO business VALUES (1)",
                    "SELECT tributary.publish('account', 'f', 'account.opened.v1', '{}')",
                    "DELETE FROM tributary.outbox",
                    "DELETE FROM tributary.dead_letter",
                    "UPDATE tributary.aggregate SET sequence = 1");
        }
    }

    @Test
    void withoutTheRightToCreateRolesTheRemedyIsSaid() throws SQLException {
        database.execute("REVOKE USAGE ON SCHEMA tributary FROM tributary_reader");
        Preparation asNobody = Preparation.of(database.as(login), false, true);
        assertThat(asNobody.sql()).contains("CREATE ROLE");
        assertThatThrownBy(asNobody::run).isInstanceOf(SetupException.class).hasMessageContaining("may not do this");
    }
}
