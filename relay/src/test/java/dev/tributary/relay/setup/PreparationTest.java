package dev.tributary.relay.setup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PreparationTest {
    private SourceDatabases database;
    private String slot;

    @BeforeEach
    void createDatabase() {
        database = SourceDatabases.create(LocalPostgres.shared());
        slot = "slot tributary_" + database.source().name();
    }

    @AfterEach
    void dropDatabase() {
        database.close();
    }

    @Test
    void createsEverythingOnceAndThenTouchesNothing() throws SQLException {
        Preparation first = Preparation.of(database.source());
        assertThat(first.titles()).containsExactly("schema tributary", "publication tributary", slot);
        first.run();
        String after = database.fingerprint();
        assertThat(after).contains("class outbox", "class event_store", "publication tributary", slot);

        Preparation second = Preparation.of(database.source());
        assertThat(second.titles()).isEmpty();
        second.run();

        assertThat(database.fingerprint()).isEqualTo(after);
        assertThat(Preflight.of(database.source(), false)).noneMatch(Finding::isFailure);
    }

    @Test
    void createsOnlyWhatTheServiceHasNotCreatedYet() throws SQLException {
        try (Connection connection = database.connect()) {
            OutboxSchema.apply(connection);
        }
        String before = database.fingerprint();

        Preparation preparation = Preparation.of(database.source());
        assertThat(preparation.titles()).containsExactly("publication tributary", slot);
        preparation.run();

        assertThat(database.fingerprint()).contains(before.lines().toList());
    }

    @Test
    void bringsFunctionsOfAnotherVersionUpToDate() throws SQLException {
        Preparation.of(database.source()).run();
        database.execute(
                "CREATE OR REPLACE FUNCTION tributary.uuid_v7() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()'");

        Preparation preparation = Preparation.of(database.source());
        assertThat(preparation.titles()).containsExactly("schema tributary");
        preparation.run();

        assertThat(Preparation.of(database.source()).titles()).isEmpty();
    }

    @Test
    void printsSqlThatDoesTheSameAndChangesNothingItself() throws SQLException {
        String before = database.fingerprint();
        String sql = Preparation.of(database.source()).sql();
        assertThat(database.fingerprint()).isEqualTo(before).isEmpty();

        // All of it in one simple query, as psql -c sends it
        try (Connection connection = DriverManager.getConnection(
                        database.source().url() + "?preferQueryMode=simple",
                        LocalPostgres.USER,
                        LocalPostgres.PASSWORD);
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }

        assertThat(Preparation.of(database.source()).titles()).isEmpty();
        assertThat(Preparation.of(database.source()).sql()).contains("-- nothing is missing");
        assertThat(Preflight.of(database.source(), false)).noneMatch(Finding::isFailure);
    }

    @Test
    void createsASlotThatSurvivesAFailover() throws SQLException {
        assumeTrue(LocalPostgres.shared().version() >= 17, "PostgreSQL knows no such slots before 17");
        Preparation.of(database.source()).run();

        try (Connection connection = database.connect()) {
            assertThat(Database.texts(
                            connection,
                            "SELECT failover FROM pg_replication_slots WHERE slot_name = ?",
                            database.source().slot()))
                    .containsExactly("t");
        }
    }

    @Test
    void refusesAPublicationThatSomebodyAltered() throws SQLException {
        Preparation.of(database.source()).run();
        database.execute("ALTER PUBLICATION tributary SET (publish = 'insert, update')");
        String before = database.fingerprint();

        assertThat(refusal()).hasMessageContaining("tributary publishes [insert, update] and not just inserts");
        assertThat(database.fingerprint()).isEqualTo(before);
    }

    @Test
    void refusesToHideThatAPublicationWasMissingWhileTheSlotWentOn() throws SQLException {
        Preparation.of(database.source()).run();
        database.execute("DROP PUBLICATION tributary");

        SetupException refusal = refusal();
        assertThat(refusal)
                .hasMessageContaining("events written since it was dropped cannot be read through that slot");
        assertThat(refusal.findings())
                .singleElement()
                .extracting(Finding::remedy)
                .asString()
                .contains("pg_drop_replication_slot('" + database.source().slot() + "')");
    }

    @Test
    void saysWhoMayDoItWhenTheRoleMayNot() throws SQLException {
        String role = database.source().name() + "_weak";
        database.execute("CREATE ROLE " + role + " LOGIN");
        try {
            Preparation preparation = Preparation.of(database.as(role));
            SetupException refusal = catchThrowableOfType(SetupException.class, preparation::run);

            assertThat(refusal.findings())
                    .singleElement()
                    .satisfies(finding -> assertThat(finding.message())
                            .contains("role '" + role + "' may not do this: ERROR: permission denied for database"))
                    .satisfies(finding -> assertThat(finding.remedy()).contains("relay init --dry-run"));
            assertThat(database.fingerprint()).isEmpty();
        } finally {
            database.execute("DROP ROLE " + role);
        }
    }

    @Test
    void doesNotLeaveEventsBehindUnlessToldTo() throws SQLException {
        Preparation.of(database.source()).run();
        database.execute(
                "SELECT tributary.publish('order', '1', 'a.v1', '{}')",
                "SELECT pg_drop_replication_slot('" + database.source().slot() + "')");
        assertThat(refusal().findings()).singleElement().asString().contains("tributary.outbox", "--leave-events");
        Preparation.of(database.source(), true, false).run();
        assertThat(Preparation.of(database.source()).titles()).isEmpty();
    }

    @Test
    void doesNotLeaveBehindWhatCommitsWhileTheSlotIsCreated() throws Exception {
        Preparation.of(database.source()).run();
        dropSlot();
        Preparation preparation = Preparation.of(database.source());
        try (Connection writer = publishing()) {
            CompletableFuture<Void> refused = CompletableFuture.runAsync(() -> assertThatThrownBy(preparation::run)
                    .isInstanceOf(SetupException.class)
                    .hasMessageContaining("tributary.outbox holds events"));
            awaitCreation();
            writer.commit();
            refused.get(60, TimeUnit.SECONDS);
        }
        awaitSlots();
    }

    @Test
    void createsTheSlotBehindTransactionsThatCommitNoEvent() throws Exception {
        Preparation.of(database.source()).run();
        dropSlot();
        Preparation preparation = Preparation.of(database.source());
        try (Connection writer = publishing()) {
            CompletableFuture<List<String>> created = CompletableFuture.supplyAsync(preparation::run);
            awaitCreation();
            writer.rollback();
            assertThat(created.get(60, TimeUnit.SECONDS)).containsExactly(slot);
        }
        awaitSlots(slot);
    }

    @Test
    void anInitThatEndsWhileItWaitsLeavesNoSlot() throws Exception {
        Preparation.of(database.source()).run();
        dropSlot();
        Preparation preparation = Preparation.of(database.source());
        try (Connection writer = publishing()) {
            CompletableFuture<Void> failed = CompletableFuture.runAsync(
                    () -> assertThatThrownBy(preparation::run).isInstanceOf(SetupException.class));
            awaitCreation();
            database.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
                    + " WHERE database = current_database()");
            failed.get(60, TimeUnit.SECONDS);
            writer.commit();
        }
        awaitSlots();
        assertThat(refusal()).hasMessageContaining("tributary.outbox holds events");
    }

    @Test
    void namesTheTransactionsThatItWaitsFor() throws Exception {
        Preparation.of(database.source()).run();
        dropSlot();
        Preparation preparation = Preparation.of(database.source());
        try (Connection writer = publishing()) {
            String pid = Database.texts(writer, "SELECT pg_backend_pid()").get(0);
            assertThatThrownBy(() -> preparation.run(Duration.ofMillis(200)))
                    .isInstanceOf(SetupException.class)
                    .hasMessageContaining("process " + pid + " of " + LocalPostgres.USER);
        }
        awaitSlots();
    }

    @Test
    void severalAtOnceCreateEverythingOnce() throws Exception {
        List<Preparation> preparations = Stream.generate(() -> Preparation.of(database.source()))
                .limit(4)
                .toList();
        List<CompletableFuture<List<String>>> running = preparations.stream()
                .map(preparation -> CompletableFuture.supplyAsync(preparation::run, task -> new Thread(task).start()))
                .toList();
        List<String> created = new ArrayList<>();
        for (CompletableFuture<List<String>> each : running) {
            created.addAll(each.get(60, TimeUnit.SECONDS));
        }
        assertThat(created).containsExactly("schema tributary", "publication tributary", slot);
        assertThat(slots()).containsExactly(slot);
    }

    /** Has an event that is not committed. */
    private Connection publishing() throws SQLException {
        Connection writer = database.connect();
        writer.setAutoCommit(false);
        Database.texts(writer, "SELECT tributary.publish('order', '1', 'a.v1', '{}')::text");
        return writer;
    }

    private void dropSlot() throws SQLException {
        database.execute("SELECT pg_drop_replication_slot('" + database.source().slot() + "')");
    }

    private void awaitCreation() {
        await().until(() -> !slots().isEmpty());
    }

    /** A session's temporary slot goes a moment after the session's client has. */
    private void awaitSlots(String... left) {
        await().untilAsserted(() -> assertThat(slots()).containsExactly(left));
    }

    private List<String> slots() throws SQLException {
        try (Connection connection = database.connect()) {
            return Database.texts(
                    connection,
                    "SELECT 'slot ' || slot_name FROM pg_replication_slots WHERE database = current_database()");
        }
    }

    private SetupException refusal() {
        return catchThrowableOfType(SetupException.class, () -> Preparation.of(database.source()));
    }
}
