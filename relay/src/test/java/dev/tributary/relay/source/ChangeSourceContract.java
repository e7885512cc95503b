package dev.tributary.relay.source;

import static dev.tributary.relay.source.EventsUnderTest.insert;
import static dev.tributary.relay.source.EventsUnderTest.pump;
import static dev.tributary.relay.source.EventsUnderTest.receive;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.PositionForm;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.EventsUnderTest.Received;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.PGConnection;

/** What every engine does, on a real server. */
@Timeout(300)
abstract class ChangeSourceContract {
    /** Longer than the second within which an engine speaks to the server. */
    private static final long SEVERAL_STATUSES_NANOS = TimeUnit.MILLISECONDS.toNanos(2_500);

    /** After a minute the server would end a forgotten connection by itself. */
    private static final Duration SLOT_FREE_MAX = Duration.ofSeconds(30);

    private final SourceConfig.Engine engine;
    private final PositionForm form;
    EventsUnderTest database;

    ChangeSourceContract(SourceConfig.Engine engine, PositionForm form) {
        this.engine = engine;
        this.form = form;
    }

    /** Opens the engine. */
    abstract ChangeSource open(SourceConfig source, SourceDatabase.Server server, long confirmedLsn)
            throws SQLException;

    @BeforeEach
    void createDatabase() throws SQLException {
        database = new EventsUnderTest(LocalPostgres.shared(), engine);
    }

    @AfterEach
    void dropDatabase() {
        database.close();
    }

    ChangeSource open() throws SQLException {
        try (PostgresDatabase asked = new PostgresDatabase(database.config)) {
            return open(database.config, asked.server(), asked.slotConfirmedLsn());
        }
    }

    @Test
    void anEventArrivesAsItWasWritten() throws SQLException {
        try (ChangeSource source = open()) {
            database.execute(
                    "INSERT INTO tributary.event_store VALUES ('01890a5d-ac96-774b-bcce-b302099a8057', 'größe',"
                            + " 'ключ 🗝', 9223372036854775807, '型.v1', 'text/plain', '\\x00ff0a5c', '{ \"a\":\"é\\u00e9\" }',"
                            + " '1999-12-31 23:59:59.999999+00')",
                    "INSERT INTO tributary.outbox VALUES (gen_random_uuid(), '', '', NULL, '', '', '', NULL,"
                            + " '2026-07-01 00:00:00+05:30')");
            Received received = receive(source, 2);
            OutboxEvent event = received.events.get(0);
            assertThat(event.id()).hasToString("01890a5d-ac96-774b-bcce-b302099a8057");
            assertThat(event.aggregateType()).isEqualTo("größe");
            assertThat(event.aggregateId()).asString(StandardCharsets.UTF_8).isEqualTo("ключ 🗝");
            assertThat(event.sequence()).isEqualTo(Long.MAX_VALUE);
            assertThat(event.type()).asString(StandardCharsets.UTF_8).isEqualTo("型.v1");
            assertThat(event.contentType()).asString(StandardCharsets.UTF_8).isEqualTo("text/plain");
            assertThat(event.payload()).containsExactly(0, 0xff, '\n', '\\');
            assertThat(event.headers()).asString(StandardCharsets.UTF_8).isEqualTo("{ \"a\":\"é\\u00e9\" }");
            assertThat(event.occurredAt()).isEqualTo(Instant.parse("1999-12-31T23:59:59.999999Z"));
            assertThat(event.committedAt()).isBetween(Instant.now().minusSeconds(60), Instant.now());
            OutboxEvent empty = received.events.get(1);
            assertThat(empty.sequence()).isZero();
            assertThat(empty.headers()).isNull();
            assertThat(empty.payload()).isEmpty();
            assertThat(empty.occurredAt()).isEqualTo(Instant.parse("2026-06-30T18:30:00Z"));
            assertThat(received.ends).hasSize(2);
        }
    }

    @Test
    void transactionsComeOneAfterTheOtherAsTheyCommit() throws SQLException {
        try (ChangeSource source = open();
                Connection first = database.connect();
                Connection second = database.connect();
                Statement inFirst = first.createStatement();
                Statement inSecond = second.createStatement()) {
            first.setAutoCommit(false);
            second.setAutoCommit(false);
            inFirst.execute(insert("first"));
            inSecond.execute(insert("second"));
            inFirst.execute(insert("first again"));
            inSecond.execute(insert("second again"));
            second.commit();
            database.execute(insert("between"));
            inFirst.execute(insert("first at last"));
            first.commit();
            Received received = receive(source, 6);
            assertThat(received.aggregates())
                    .containsExactly(
                            "second-1", "second again-1", "between-1", "first-1", "first again-1", "first at last-1");
            checkPositions(received);
            assertThat(received.ends).hasSize(3).isSorted();
        }
    }

    @Test
    void onlyWhatCommitsComes() throws SQLException {
        String name = database.config.name();
        try (ChangeSource source = open();
                Connection connection = database.connect();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute(insert("rolled back"));
            connection.rollback();
            statement.execute(insert("kept"));
            var savepoint = connection.setSavepoint();
            statement.execute(insert("rolled back to savepoint"));
            connection.rollback(savepoint);
            connection.setSavepoint();
            statement.execute(insert("kept behind a savepoint"));
            connection.commit();
            statement.execute(insert("prepared and rolled back"));
            statement.execute("PREPARE TRANSACTION '" + name + "-1'");
            connection.commit();
            statement.execute(insert("prepared"));
            statement.execute("PREPARE TRANSACTION '" + name + "-2'");
            connection.commit();
            database.execute(insert("between"), "ROLLBACK PREPARED '" + name + "-1'");
            database.execute("COMMIT PREPARED '" + name + "-2'", insert("last"));
            Received received = receive(source, 5);
            assertThat(received.aggregates())
                    .containsExactly("kept-1", "kept behind a savepoint-1", "between-1", "prepared-1", "last-1");
            checkPositions(received);
        }
    }

    @Test
    void whatIsNotConfirmedComesAgainAtTheSamePositions() throws SQLException {
        Received before;
        try (ChangeSource source = open()) {
            for (int i = 0; i < 20; i++) {
                database.execute(insert("tx" + i, 1 + i % 3));
            }
            before = receive(source, 39);
            checkPositions(before);
        }
        try (ChangeSource source = open()) {
            Received again = receive(source, 39);
            assertThat(again.aggregates()).isEqualTo(before.aggregates());
            assertThat(positions(again)).isEqualTo(positions(before));
            assertThat(again.ends.containsAll(before.ends)).isTrue();
        }
    }

    @Test
    void theServerIsToldOfNothingButWhatIsConfirmed() throws SQLException {
        long slot = database.slotLsn();
        Received before;
        try (ChangeSource source = open()) {
            for (int i = 0; i < 10; i++) {
                database.execute(insert("tx" + i), "INSERT INTO other VALUES (1)");
            }
            before = receive(source, 10);
            long start = System.nanoTime();
            pump(source, before, () -> System.nanoTime() - start > SEVERAL_STATUSES_NANOS);
            assertThat(database.slotLsn()).isEqualTo(slot);
            source.confirm(before.ends.get(4));
            pump(source, before, () -> database.slotLsn() != slot);
            assertThat(database.slotLsn()).isEqualTo(before.ends.get(4));
            // The last word is given at the end
            source.confirm(before.ends.get(5));
        }
        await().until(() -> database.slotLsn() == before.ends.get(5));
        try (ChangeSource source = open()) {
            assertThat(receive(source, 4).aggregates()).containsExactly("tx6-1", "tx7-1", "tx8-1", "tx9-1");
        }
    }

    @Test
    void aQuietStreamSaysHowFarTheServerIs() throws SQLException {
        try (ChangeSource source = open()) {
            database.execute("INSERT INTO other SELECT generate_series(1, 20000)");
            long end = database.walEnd();
            Received received = new Received();
            pump(source, received, () -> source.caughtUpTo() >= end);
            assertThat(received.events).isEmpty();
            source.confirm(source.caughtUpTo());
            pump(source, received, () -> database.slotLsn() >= end);
            database.execute(insert("after"));
            assertThat(receive(source, 1).aggregates()).containsExactly("after-1");
        }
    }

    @Test
    void nothingThatComesLaterLiesBelowWhatTheSourceHasCaughtUpTo() throws SQLException {
        try (ChangeSource source = open()) {
            for (int i = 0; i < 50; i++) {
                long caughtUp = source.caughtUpTo();
                Received received = new Received();
                database.execute(insert("tx" + i));
                pump(source, received, () -> !received.ends.isEmpty() && !received.events.isEmpty());
                assertThat(received.ends.get(received.ends.size() - 1)).isGreaterThan(caughtUp);
                assertThat(received.events.get(0).position().commitLsn()).isGreaterThanOrEqualTo(caughtUp);
            }
        }
    }

    @Test
    void aSlotInUseAndAMissingOneAreNamed() throws SQLException {
        try (ChangeSource source = open()) {
            pump(source, new Received(), () -> source.caughtUpTo() >= 0);
            assertThatThrownBy(this::open)
                    .isInstanceOf(RelayException.SlotBusy.class)
                    .hasMessageContaining(database.config.slot());
        }
        await().atMost(SLOT_FREE_MAX).until(database::isSlotFree);
        database.execute("SELECT pg_drop_replication_slot('" + database.config.slot() + "')");
        assertThatThrownBy(this::open).isInstanceOf(RelayException.SlotLost.class);
        try (PostgresDatabase asked = new PostgresDatabase(database.config)) {
            SourceDatabase.Server server = asked.server();
            assertThatThrownBy(() -> open(database.config, server, 8)).isInstanceOf(RelayException.SlotLost.class);
        }
    }

    @Test
    void aCutConnectionEndsTheSourceAndTheNextOneGoesOn() throws SQLException {
        try (ChangeSource source = open()) {
            database.execute(insert("before"));
            Received received = receive(source, 1);
            source.confirm(received.ends.get(0));
            database.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '"
                    + database.config.slot() + "'");
            assertThatThrownBy(() -> pump(source, received, () -> false))
                    .hasRootCauseInstanceOf(Exception.class)
                    .satisfiesAnyOf(e -> assertThat(e).hasStackTraceContaining("SQLException"), e -> assertThat(e)
                            .isInstanceOf(RelayException.class));
        }
        database.execute(insert("after"));
        await().ignoreExceptionsInstanceOf(RelayException.SlotBusy.class).untilAsserted(() -> {
            try (ChangeSource source = open()) {
                pump(source, new Received(), () -> source.caughtUpTo() > 0);
            }
        });
    }

    @Test
    void sizeDoesNotMatter() throws SQLException {
        try (ChangeSource source = open()) {
            database.execute(
                    "INSERT INTO tributary.outbox VALUES (gen_random_uuid(), 'blob', '1', NULL, 'a.v1', 'x',"
                            + " convert_to(repeat('0123456789abcdef', 57600), 'UTF8'), NULL, now())",
                    insert("many", 10_000));
            Received received = receive(source, 10_001);
            assertThat(received.events.get(0).payload())
                    .isEqualTo("0123456789abcdef".repeat(57_600).getBytes(StandardCharsets.US_ASCII));
            assertThat(received.aggregates().subList(1, 10_001))
                    .isEqualTo(IntStream.rangeClosed(1, 10_000)
                            .mapToObj(i -> "many-" + i)
                            .toList());
            checkPositions(received);
        }
    }

    @Test
    void eventsThatShareAnLsnAllCome() throws Exception {
        try (ChangeSource source = open();
                Connection connection = database.connect();
                Statement statement = connection.createStatement()) {
            StringBuilder rows = new StringBuilder();
            for (int i = 1; i <= 500; i++) {
                rows.append(new java.util.UUID(7, i))
                        .append("\torder\tcopied-")
                        .append(i)
                        .append("\t\\N\ta.v1\tx\t\\\\x00\t\\N\tnow\n");
            }
            connection
                    .unwrap(PGConnection.class)
                    .getCopyAPI()
                    .copyIn("COPY tributary.outbox FROM STDIN", new StringReader(rows.toString()));
            statement.execute("INSERT INTO tributary.outbox SELECT id, 'order', 'values-' || n, NULL, 'a.v1', 'x', '',"
                    + " NULL, now() FROM (VALUES (gen_random_uuid(), 1), (gen_random_uuid(), 2), (gen_random_uuid(), 3))"
                    + " rows (id, n)");
            Received received = receive(source, 503);
            assertThat(received.aggregates().subList(0, 500))
                    .isEqualTo(IntStream.rangeClosed(1, 500)
                            .mapToObj(i -> "copied-" + i)
                            .toList());
            assertThat(received.aggregates().subList(500, 503)).containsExactly("values-1", "values-2", "values-3");
            checkPositions(received);
        }
    }

    @Test
    void tablesChangeWhileItRuns() throws SQLException {
        String outbox = "ALTER TABLE tributary.outbox ";
        String insert = "INSERT INTO tributary.outbox (id, aggregate_type, aggregate_id, type, content_type, payload,"
                + " headers, occurred_at) VALUES (gen_random_uuid(), 'order', '%s', 'a.v1', 'x', 'p', '{\"h\":\"1\"}', now())";
        try (ChangeSource source = open()) {
            database.execute(
                    "DROP VIEW tributary.outbox_readable",
                    insert.formatted("before"),
                    outbox + "ADD COLUMN extra int DEFAULT 5",
                    insert.formatted("added"),
                    // Behind the others, when it comes back
                    outbox + "DROP COLUMN headers",
                    outbox + "ADD COLUMN headers json",
                    insert.formatted("reordered"),
                    outbox + "DROP COLUMN extra",
                    "ALTER TABLE other ADD COLUMN more text",
                    "INSERT INTO other VALUES (1, 'x')",
                    insert.formatted("dropped"),
                    "CREATE TABLE tributary.outbox_2020 PARTITION OF tributary.outbox FOR VALUES FROM ('2020-01-01') TO"
                            + " ('2021-01-01')",
                    insert.formatted("partition").replace("now()", "'2020-06-01'"));
            Received received = receive(source, 5);
            assertThat(received.aggregates()).containsExactly("before", "added", "reordered", "dropped", "partition");
            assertThat(received.events).allSatisfy(event -> assertThat(event.headers())
                    .asString(StandardCharsets.UTF_8)
                    .isEqualTo("{\"h\":\"1\"}"));
            database.execute(
                    outbox + "DROP COLUMN type",
                    "INSERT INTO tributary.outbox (id, aggregate_type, aggregate_id, content_type, payload, occurred_at)"
                            + " VALUES (gen_random_uuid(), 'order', '1', 'x', 'p', now())");
            assertStopped(source, "tributary.outbox has no column type");
        }
    }

    @Test
    void aDeleteIsNoMatterAnUpdateOrATruncateStopsTheSource() throws SQLException {
        database.execute(
                "ALTER PUBLICATION tributary SET (publish = 'insert, update, delete, truncate')",
                "ALTER TABLE tributary.event_store DISABLE TRIGGER ALL");
        String event = "INSERT INTO tributary.event_store VALUES (gen_random_uuid(), 'order', '1', 1, 'a.v1', 'x', 'p',"
                + " NULL, now())";
        try (ChangeSource source = open()) {
            database.execute(event, "DELETE FROM tributary.event_store", event.replace("1, 'a", "2, 'a"));
            Received received = receive(source, 2);
            database.execute("UPDATE tributary.event_store SET payload = 'q'");
            assertStopped(source, "UPDATE on tributary.event_store");
            assertThat(received.events).extracting(OutboxEvent::sequence).containsExactly(1L, 2L);
        }
        database.execute("SELECT pg_replication_slot_advance('" + database.config.slot() + "', pg_current_wal_lsn())");
        try (ChangeSource source = open()) {
            database.execute("TRUNCATE tributary.event_store");
            assertStopped(source, "TRUNCATE on tributary.event_store");
        }
    }

    @Test
    void nothingOfItOutlivesIt() throws SQLException {
        Set<Thread> before = threads();
        try (ChangeSource source = open()) {
            database.execute(insert("one"));
            receive(source, 1);
        }
        ChangeSource full = open();
        database.execute(insert("many", 30_000));
        pump(full, new Received(), () -> true);
        full.close(); // while it has more to hand over than anybody takes
        LockSupport.parkNanos(1);
        await().untilAsserted(() -> {
            Set<Thread> left = threads();
            left.removeAll(before);
            assertThat(left).isEmpty();
        });
        await().atMost(SLOT_FREE_MAX).until(database::isSlotFree);
        database.execute("SELECT pg_drop_replication_slot('" + database.config.slot() + "')");
    }

    private static Set<Thread> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(Thread::isAlive)
                .filter(thread -> !thread.getName().startsWith("ForkJoin")
                        && !thread.getName().startsWith("awaitility"))
                .filter(thread -> thread.getThreadGroup() == null
                        || !thread.getThreadGroup().getName().equals("system"))
                .filter(thread -> !thread.getName().startsWith("PostgreSQL-JDBC"))
                .collect(Collectors.toSet());
    }

    static void assertStopped(ChangeSource source, String reason) {
        Received received = new Received();
        assertThatThrownBy(() -> pump(source, received, () -> false))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining(reason)
                .extracting(e -> ((RelayException) e).remedy())
                .asString()
                .isNotEmpty();
        assertThat(received.events).isEmpty();
    }

    static List<Position> positions(Received received) {
        return received.events.stream().map(OutboxEvent::position).toList();
    }

    /** Growing, of this engine's form, each between the ends of its transaction and of the one before. */
    void checkPositions(Received received) {
        Position last = Position.START;
        for (Position position : positions(received)) {
            assertThat(position.isAfter(last)).as("%s after %s", position, last).isTrue();
            assertThat(PositionForm.of(position)).as("%s", position).isEqualTo(form);
            assertThat(position.ordinal()).isEqualTo(position.commitLsn() == last.commitLsn() ? last.ordinal() + 1 : 0);
            last = position;
        }
    }
}
