package dev.tributary.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.outbox.wire.ReadToken;
import dev.tributary.outbox.wire.ReadToken.Write;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TokenTest {
    private final Outbox outbox =
            Outbox.builder(EventTypes.builder().build()).source("sales").build();
    private final String slot = "token_" + UUID.randomUUID().toString().replace('-', '_');
    private TestDatabase database;

    @BeforeEach
    void create() throws SQLException {
        database = TestDatabase.withTables();
        database.execute(
                "CREATE PUBLICATION token FOR TABLE tributary.outbox WITH (publish_via_partition_root = true)");
        database.texts("SELECT pg_create_logical_replication_slot(?, 'pgoutput')::text", slot);
    }

    @AfterEach
    void drop() throws SQLException {
        database.texts("SELECT pg_drop_replication_slot(?)::text", slot);
    }

    @Test
    void whoeverHasReadTheLogUpToATokenHasReadTheWrite() throws SQLException {
        try (Connection connection = database.transaction()) {
            for (int i = 0; i < 20; i++) {
                publish(connection, "o-" + i);
                connection.commit();
                ReadToken token = outbox.token(connection);
                connection.rollback();
                publish(connection, "behind-" + i); // the log goes on
                connection.commit();
                assertThat(readUpTo(token)).isEqualTo(2 * i + 1);
            }
        }
    }

    @Test
    void aCommitThatIsNotOnDiskYetIsCoveredToo() throws SQLException {
        try (Connection connection = database.transaction()) {
            connection.createStatement().execute("SET synchronous_commit = off");
            publish(connection, "o-1");
            connection.commit();
            ReadToken token = outbox.token(connection);
            connection.commit();
            Awaitility.await().untilAsserted(() -> assertThat(readUpTo(token)).isEqualTo(1));
        }
    }

    @Test
    void itNamesTheHistoryThatItIsAPlaceIn() throws SQLException {
        try (Connection connection = database.autoCommitting()) {
            Write write = outbox.token(connection).writes().get(0);
            assertThat(write.source()).isEqualTo("sales");
            assertThat(write.systemId())
                    .isEqualTo(database.text("SELECT system_identifier::text FROM pg_control_system()"));
            assertThat(write.timeline())
                    .isEqualTo(
                            Integer.parseInt(database.text("SELECT timeline_id::text FROM pg_control_checkpoint()")));
            assertThat(Math.abs(write.timeMillis() - System.currentTimeMillis()))
                    .isLessThan(60_000);
        }
    }

    @Test
    void beforeTheCommitThereIsNone() throws SQLException {
        try (Connection connection = database.transaction()) {
            publish(connection, "o-1");
            assertThatThrownBy(() -> outbox.token(connection))
                    .isInstanceOf(OutboxException.class)
                    .hasMessageContaining("commit, then ask");
        }
    }

    @Test
    void aRoleWithoutPrivilegesGetsOne() throws SQLException {
        String role = slot;
        database.execute("CREATE ROLE " + role);
        try (Connection connection = database.autoCommitting()) {
            connection.createStatement().execute("SET ROLE " + role);
            assertThat(outbox.token(connection).writes()).hasSize(1);
        } finally {
            database.execute("DROP ROLE " + role);
        }
    }

    @Test
    void aSourceWithoutANameIsToldHowToGetOne() throws SQLException {
        try (Connection connection = database.autoCommitting()) {
            assertThatThrownBy(() -> Outbox.of(EventTypes.builder().build()).token(connection))
                    .isInstanceOf(OutboxException.class)
                    .hasMessageContaining("tributary.outbox.source");
        }
        assertThatThrownBy(() -> Outbox.builder(EventTypes.builder().build()).source("Sales"))
                .hasMessageContaining("'Sales'");
    }

    private void publish(Connection connection, String id) throws SQLException {
        outbox.publish(
                connection,
                NewEvent.raw("order", id, "order.placed.v1", "text/plain", "{}".getBytes(StandardCharsets.UTF_8)));
    }

    /** How many transactions with events the log has, as far as a reader gets that stops at the token. */
    private int readUpTo(ReadToken token) throws SQLException {
        try (Connection connection = database.autoCommitting();
                PreparedStatement query = connection.prepareStatement(
                        "SELECT count(*) FROM pg_logical_slot_peek_binary_changes(?, '0/0'::pg_lsn + ?::bigint, NULL,"
                                + " 'proto_version', '1', 'publication_names', 'token') WHERE get_byte(data, 0) = ascii('C')")) {
            query.setString(1, slot);
            query.setLong(2, token.writes().get(0).lsn());
            try (ResultSet row = query.executeQuery()) {
                row.next();
                return row.getInt(1);
            }
        }
    }
}
