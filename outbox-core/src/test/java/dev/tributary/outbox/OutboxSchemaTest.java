package dev.tributary.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.localstack.LocalPostgres;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.util.PSQLException;

class OutboxSchemaTest {
    private static final String ROW = "(gen_random_uuid(), 'order', 'o', 1, 'a.v1', 'a/b', ?, NULL, ?::timestamptz)";
    private static TestDatabase database;

    @BeforeAll
    static void createDatabase() throws SQLException {
        database = TestDatabase.withTables();
    }

    @BeforeEach
    void clear() throws SQLException {
        database.clear();
    }

    @ParameterizedTest
    @ValueSource(strings = {"outbox", "outbox_default", "outbox_2020", "event_store"})
    void updatesAreRefusedOnEveryPathToTheRows(String table) throws SQLException {
        database.execute("CREATE TABLE IF NOT EXISTS tributary.outbox_2020 PARTITION OF tributary.outbox"
                + " FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')");
        insert("outbox", "{}", "2020-06-01");
        insert("outbox", "{}", "2026-06-01");
        insert("event_store", "{}", "2026-06-01");

        assertThatThrownBy(() -> database.execute("UPDATE tributary." + table + " SET type = 'b.v1'"))
                .isInstanceOfSatisfying(PSQLException.class, e -> {
                    assertThat(e.getServerErrorMessage().getMessage()).contains("events are immutable");
                    assertThat(e.getServerErrorMessage().getHint()).contains("corrects the earlier one");
                });
        assertThat(database.texts("SELECT DISTINCT type FROM tributary." + table))
                .containsExactly("a.v1");
    }

    @Test
    void deletingIsAllowedForRetention() throws SQLException {
        insert("outbox", "{}", "2026-06-01");
        insert("event_store", "{}", "2026-06-01");
        database.execute("DELETE FROM tributary.outbox");
        database.execute("DELETE FROM tributary.event_store");
        assertThat(database.rows()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"outbox", "event_store"})
    void readableViewsShowJsonAsItIsAndNeverFail(String table) throws SQLException {
        assertThat(readable(table, "{\"a\": [1]}")).isEqualTo("{\"a\": [1]}");
        assertThat(readable(table, "{\"nul\": \"\\u0000\"}")).isEqualTo("{\"nul\": \"\\u0000\"}");
        assertThat(readable(table, "{\"a\": ")).isEqualTo("\"{\\\"a\\\": \"");
        assertThat(readable(table, "plain")).isEqualTo("\"plain\"");
        assertThat(readable(table, "")).isEqualTo("\"\"");
        assertThat(readable(table, "[".repeat(100_000))).startsWith("\"[[");
        assertThat(readable(table, new byte[] {0, 1, 2})).isNull();
        assertThat(readable(table, new byte[] {(byte) 0xff, (byte) 0xfe})).isNull();
    }

    @Test
    void runningItAgainChangesNothing() throws SQLException {
        insert("outbox", "{}", "2026-06-01");
        String before = catalog();
        try (Connection connection = database.autoCommitting()) {
            OutboxSchema.apply(connection);
            OutboxSchema.apply(connection);
        }
        assertThat(catalog()).isEqualTo(before);
        assertThat(database.text("SELECT count(*) FROM tributary.outbox")).isEqualTo("1");
    }

    @Test
    void instancesThatStartTogetherMayAllRunIt() {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        TestDatabase service = TestDatabase.empty();
        List<CompletableFuture<Void>> instances = Stream.generate(() -> CompletableFuture.runAsync(
                        () -> {
                            try (Connection connection = service.autoCommitting()) {
                                OutboxSchema.apply(connection);
                            } catch (SQLException e) {
                                throw new AssertionError(e);
                            }
                        },
                        threads))
                .limit(4)
                .toList();
        assertThat(instances).allSatisfy(CompletableFuture::join);
        threads.shutdown();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void flywayRunsItBesideAServicesOwnMigrations(boolean afterRelayInit, @TempDir Path migrations) throws Exception {
        TestDatabase service = afterRelayInit ? TestDatabase.withTables() : TestDatabase.empty();
        Files.writeString(
                migrations.resolve("V1__orders.sql"),
                "CREATE TABLE orders (id text); SELECT tributary.publish('order', 'o', 'order.placed.v1', '{}');");
        Flyway flyway = Flyway.configure()
                .dataSource(service.url(), LocalPostgres.USER, LocalPostgres.PASSWORD)
                .locations("filesystem:" + migrations, "classpath:" + OutboxSchema.FLYWAY_LOCATION)
                .load();

        assertThat(flyway.migrate().migrations)
                .extracting(m -> m.version)
                .containsExactly("0.1.1", "0.1.2", "0.1.3", "0.1.4", "0.1.5", "1");
        assertThat(flyway.migrate().migrationsExecuted).isZero();
        assertThat(service.text("SELECT count(*) FROM tributary.outbox")).isEqualTo("1");
    }

    @Test
    void noIndexDependsOnAnOrderThatAnUpgradeMayChange() throws SQLException {
        assertThat(database.texts("SELECT indexrelid::regclass || ' ' || indexed::regcollation"
                        + " FROM pg_index, unnest(indcollation::oid[]) AS indexed WHERE indexed <> 0 AND indrelid IN"
                        + " (SELECT oid FROM pg_class WHERE relnamespace = 'tributary'::regnamespace)"))
                .isNotEmpty()
                .allSatisfy(index -> assertThat(index).endsWith(" \"C\""));
    }

    /** Or their rows could not be compared without saying in which, and tables would be read in different orders. */
    @Test
    void columnsOfOneNameHaveOneCollation() throws SQLException {
        assertThat(database.texts("SELECT attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
                        + " WHERE relnamespace = 'tributary'::regnamespace AND relkind IN ('r', 'p', 'v') AND attnum > 0"
                        + " GROUP BY attname HAVING count(DISTINCT attcollation) > 1"))
                .isEmpty();
    }

    private static String readable(String table, String payload) throws SQLException {
        return readable(table, payload.getBytes(StandardCharsets.UTF_8));
    }

    private static String readable(String table, byte[] payload) throws SQLException {
        database.clear();
        insert(table, payload, "2026-06-01");
        return database.text("SELECT payload FROM tributary." + table + "_readable");
    }

    private static void insert(String table, String payload, String at) throws SQLException {
        insert(table, payload.getBytes(StandardCharsets.UTF_8), at);
    }

    private static void insert(String table, byte[] payload, String at) throws SQLException {
        database.texts("INSERT INTO tributary." + table + " VALUES " + ROW + " RETURNING id", payload, at);
    }

    /** Everything that the script defines, as the catalog has it. */
    private static String catalog() throws SQLException {
        return database.text("SELECT string_agg(line, '; ' ORDER BY line) FROM ("
                + "SELECT format('%s %s %s', c.relname, a.attname, a.atttypid::regtype) AS line FROM pg_class c"
                + " JOIN pg_attribute a ON a.attrelid = c.oid WHERE relnamespace = 'tributary'::regnamespace"
                + " UNION ALL SELECT tgname || tgrelid::regclass FROM pg_trigger"
                + " UNION ALL SELECT oid::regprocedure || prosrc FROM pg_proc"
                + " WHERE pronamespace = 'tributary'::regnamespace) lines");
    }
}
