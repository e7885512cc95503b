package dev.tributary.outbox.retention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.util.PSQLException;

/**
 * Real partitions, locks and slots; time alone is made: the server's is the row of {@code test_clock}, the monotonic one a
 * number.
 */
class OutboxRetentionTest {
    private static final Duration WINDOW = Duration.ofHours(3);
    /** Long enough for a loaded machine; what must wait waits for good. */
    private static final Duration PAUSE = Duration.ofSeconds(2);

    private static final RetentionSettings SETTINGS = new RetentionSettings(WINDOW, Duration.ofHours(1), 2, PAUSE);
    private static final String SLOT = "tributary_s" + Long.toHexString(System.nanoTime());

    private final AtomicLong nanos = new AtomicLong();
    private final List<OutboxRetention> started = new ArrayList<>();
    private String url = "";
    private @Nullable Connection shared;
    private OutboxRetention retention = start(SETTINGS);

    @BeforeEach
    void createDatabase() throws SQLException {
        url = LocalPostgres.shared().createDatabase("retention");
        try (Connection connection = connect()) {
            OutboxSchema.apply(connection);
        }
        execute("CREATE TABLE test_clock (t timestamptz); INSERT INTO test_clock VALUES ('2026-01-01 00:30Z')");
        execute("CREATE PUBLICATION tributary FOR TABLE tributary.outbox WITH (publish = 'insert',"
                + " publish_via_partition_root = true)");
        createSlot(SLOT);
    }

    @AfterEach
    void dropDatabase() throws SQLException {
        for (OutboxRetention each : started) {
            each.close();
        }
        execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                + " WHERE database = current_database()");
        shared().close();
        LocalPostgres.shared().dropDatabase(url);
    }

    private OutboxRetention start(RetentionSettings settings) {
        OutboxRetention made =
                new OutboxRetention(this::connect, settings, "(SELECT t FROM public.test_clock)", nanos::get);
        started.add(made);
        return made;
    }

    @Test
    void partitionsAreMadeAheadAndEventsLandInThem() throws SQLException {
        RetentionStatus status = retention.turn();

        assertThat(status.leading()).isTrue();
        assertThat(status.partitions()).isEqualTo(3);
        assertThat(status.trouble()).isEmpty();
        assertThat(partitions())
                .containsExactly("outbox_20260101t000000000", "outbox_20260101t010000000", "outbox_20260101t020000000");
        write("2026-01-01 01:15Z");
        assertThat(partitionOf("2026-01-01 01:15Z")).isEqualTo("tributary.outbox_20260101t010000000");
        assertThatThrownBy(() -> execute("UPDATE tributary.outbox_20260101t010000000 SET type = 'b.v1'"))
                .isInstanceOf(PSQLException.class)
                .hasMessageContaining("events are immutable");
        assertThat(text("SELECT string_agg(DISTINCT relowner::regrole::text, ',') FROM pg_class"
                        + " WHERE relname LIKE 'outbox%' AND relkind IN ('r', 'p')"))
                .isEqualTo(text("SELECT relowner::regrole FROM pg_class WHERE oid = 'tributary.outbox'::regclass"));
    }

    @Test
    void aPartitionGoesWhenItIsConfirmedAndHasBeenWatchedForTheWindow() throws SQLException {
        twoPartitionsWithEvents();
        hours(2);
        turns(2);
        assertThat(partitions()).contains("outbox_20260101t000000000");

        hours(2); // older than the window by the server's clock, but nobody has confirmed it
        turns(3);
        assertThat(rows()).isEqualTo(2);

        confirm(SLOT);
        turns(3);
        assertThat(rows()).as("confirmed, but not for the window").isEqualTo(2);

        hours(3);
        turns(1);
        assertThat(rows()).isEqualTo(1);
        assertThat(text("SELECT count(*) FROM pg_class WHERE relname = 'outbox_20260101t000000000'"))
                .as("detached, and dropped once that moment is confirmed, too")
                .isEqualTo("1");
        confirm(SLOT);
        turns(1);
        assertThat(text("SELECT count(*) FROM pg_class WHERE relname = 'outbox_20260101t000000000'"))
                .isEqualTo("0");
        assertThat(text("SELECT count(*) FROM tributary.outbox_partition WHERE detached"))
                .isEqualTo("0");
    }

    @Test
    void theLastConfirmedEventsStay() throws SQLException {
        twoPartitionsWithEvents();
        execute("SELECT pg_create_logical_replication_slot('" + SLOT + "r', 'pgoutput', true)"); // as a replay does
        for (int i = 0; i < 8; i++) {
            hours(2);
            confirm(SLOT);
            turns(1);
        }
        assertThat(rows()).isEqualTo(1);
        assertThat(partitionOf("2026-01-01 01:10Z")).isEqualTo("tributary.outbox_20260101t010000000");
    }

    @Test
    void aLaggingSlotALostOneAndNoneKeepEverything() throws SQLException {
        twoPartitionsWithEvents();
        createSlot(SLOT + "b"); // lies behind nothing, but confirms nothing either
        write("2026-01-01 01:20Z");
        hours(2);
        turns(3);
        confirm(SLOT);
        passTheWindow();
        RetentionStatus status = retention.turn();
        assertThat(rows()).isEqualTo(3);
        assertThat(status.trouble()).contains("not confirmed yet by " + SLOT + "b");
        assertThat(status.overdue()).isGreaterThan(Duration.ofHours(1));

        execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                + " WHERE database = current_database()");
        passTheWindow();
        assertThat(retention.turn().trouble()).contains("no slot tributary_*");
        assertThat(rows()).isEqualTo(3);

        createSlot(SLOT); // by hand: what it begins behind has a window more to be recovered from
        turns(3);
        assertThat(rows()).isEqualTo(3);
        passTheWindow();
        assertThat(rows()).isLessThan(3);
    }

    @Test
    void anOpenAndAPreparedTransactionAreWaitedFor() throws SQLException {
        twoPartitionsWithEvents();
        impatient();
        try (Connection open = connect()) {
            open.setAutoCommit(false);
            execute(open, insert("2026-01-01 00:20Z"));
            hours(9);
            turns(2);
            RetentionStatus status = retention.turn();
            assertThat(text("SELECT sealed_lsn IS NULL FROM tributary.outbox_partition"
                            + " WHERE name = 'outbox_20260101t000000000'"))
                    .isEqualTo("t");
            assertThat(status.trouble()).contains("outbox_20260101t000000000").contains("still open");
            execute(open, "PREPARE TRANSACTION '" + SLOT + "'");
        }
        hours(3);
        turns(2);
        confirm(SLOT);
        assertThat(rows()).isEqualTo(2);
        execute("COMMIT PREPARED '" + SLOT + "'");
        assertThat(rows()).isEqualTo(3);
        turns(3);
        confirm(SLOT);
        turns(2);
        assertThat(rows()).as("the window begins when it is confirmed").isEqualTo(3);
        passTheWindow();
        assertThat(rows()).isEqualTo(1);
    }

    @Test
    void aClockThatJumpsAheadDropsNothing() throws SQLException {
        twoPartitionsWithEvents();
        clock("2027-06-01 00:00Z");
        turns(3);
        confirm(SLOT);
        turns(20);
        assertThat(rows()).isEqualTo(2);

        clock("2026-01-01 00:45Z"); // and back: what was sealed is written to again
        turns(1);
        write("2026-01-01 00:45Z");
        for (int i = 0; i < 3; i++) {
            turns(2);
            confirm(SLOT);
            nanos.addAndGet(WINDOW.toNanos());
        }
        turns(1);
        assertThat(rows()).as("the server's clock has it that all are young").isEqualTo(3);
    }

    @Test
    void whatIsWrittenToASealedPartitionBreaksTheSeal() throws SQLException {
        twoPartitionsWithEvents();
        hours(2);
        turns(2);
        confirm(SLOT);
        turns(1);
        nanos.addAndGet(WINDOW.toNanos());
        clock("2026-01-01 12:00Z");
        for (int i = 0; i < 300; i++) {
            write("2026-01-01 00:50Z"); // a writer whose clock is behind; more than the page has room for
        }
        turns(3);
        assertThat(rows()).isEqualTo(302);
        confirm(SLOT);
        passTheWindow();
        assertThat(rows()).isEqualTo(1);
    }

    @Test
    void timeInWhichNobodyWatchesOrAnotherOneDoesCountsOnce() throws SQLException {
        twoPartitionsWithEvents();
        hours(6);
        turns(2);
        confirm(SLOT);
        turns(2);
        OutboxRetention second = start(SETTINGS);
        assertThat(second.turn().leading()).isFalse();
        retention.close();
        nanos.addAndGet(WINDOW.toNanos() * 10);
        assertThat(second.turn().leading()).isTrue();
        assertThat(retention.turn().leading()).isFalse();
        second.turn();
        assertThat(rows()).as("nobody led meanwhile").isEqualTo(2);
        nanos.addAndGet(WINDOW.toNanos());
        second.turn();
        assertThat(rows()).isEqualTo(1);
    }

    @Test
    void afterDaysWithoutPartitionsTheDefaultOneIsReplacedWhenItIsOld() throws SQLException {
        write("2025-12-28 10:00Z");
        write("2026-01-01 00:20Z");
        write("2099-01-01 00:00Z"); // a clock that ran ahead
        RetentionStatus status = retention.turn();
        assertThat(status.defaultBytes()).isPositive();
        assertThat(partitions())
                .as("this hour has events in the default partition")
                .containsExactly("outbox_20260101t010000000", "outbox_20260101t020000000");
        write("2026-01-01 01:10Z");
        turns(2);
        confirm(SLOT);
        hours(2);
        turns(3);
        confirm(SLOT);
        nanos.addAndGet(WINDOW.toNanos());
        turns(1);
        assertThat(rows()).as("one of them is younger than the window").isEqualTo(4);

        hours(3);
        turns(2);
        confirm(SLOT);
        RetentionStatus after = retention.turn();
        assertThat(rows()).isEqualTo(1);
        assertThat(after.defaultBytes()).isZero();
        assertThat(text("SELECT string_agg(relname, ' ') FROM pg_class WHERE relname LIKE 'outbox\\_default%'"))
                .isEqualTo("outbox_default");
        write("1999-01-01 00:00Z");
        assertThat(partitionOf("1999-01-01 00:00Z")).isEqualTo("tributary.outbox_default");
    }

    @Test
    void othersPartitionsAreLeftAloneAndFilledUpBetween() throws SQLException {
        execute("CREATE TABLE tributary.outbox_p20260101 PARTITION OF tributary.outbox"
                + " FOR VALUES FROM ('2026-01-01 00:00Z') TO ('2026-01-01 01:40Z')");
        execute("CREATE TABLE tributary.outbox_first PARTITION OF tributary.outbox"
                + " FOR VALUES FROM (MINVALUE) TO ('1980-01-01')");
        write("2026-01-01 00:20Z");
        turns(1);
        assertThat(partitions()).containsExactly("outbox_20260101t014000000", "outbox_20260101t020000000");
        write("2026-01-01 02:20Z");
        confirm(SLOT);
        passTheWindow();
        passTheWindow();
        assertThat(rows()).isEqualTo(2);
    }

    @Test
    void writersAreNotHeldUpForLongerThanThePauseByALongReader() throws Exception {
        twoPartitionsWithEvents();
        impatient();
        hours(2);
        turns(2);
        confirm(SLOT);
        turns(1);
        AtomicBoolean stop = new AtomicBoolean();
        AtomicLong longest = new AtomicLong();
        AtomicInteger written = new AtomicInteger();
        CompletableFuture<Void> writer = CompletableFuture.runAsync(() -> {
            try (Connection connection = connect()) {
                while (!stop.get()) {
                    long start = System.nanoTime();
                    execute(connection, insert("2026-01-01 02:10Z"));
                    longest.accumulateAndGet(System.nanoTime() - start, Math::max);
                    written.incrementAndGet();
                }
            } catch (SQLException e) {
                throw new AssertionError(e);
            }
        });
        try (Connection reader = connect()) {
            reader.setAutoCommit(false);
            execute(reader, "SELECT count(*) FROM tributary.outbox"); // as pg_dump does, for hours
            hours(3);
            RetentionStatus status = retention.turn();
            assertThat(status.trouble()).isNotEmpty();
            assertThat(text("SELECT count(*) FROM tributary.outbox_partition WHERE detached"))
                    .isEqualTo("0");
        }
        int before = written.get();
        await().until(() -> written.get() > before + 10);
        await().until(
                        () -> { // on a loaded machine a turn may take longer than it may hold writers up
                            turns(1);
                            confirm(SLOT);
                            return !partitions().contains("outbox_20260101t000000000");
                        });
        stop.set(true);
        writer.get(60, TimeUnit.SECONDS);
        assertThat(Duration.ofNanos(longest.get()))
                .isLessThan(Duration.ofSeconds(15)); // a loaded machine; without limit: for ever
        assertThat(Integer.parseInt(
                        text("SELECT count(*) FROM tributary.outbox WHERE occurred_at = '2026-01-01 02:10Z'")))
                .isEqualTo(written.get());
    }

    @Test
    void whatIsCutOffBetweenStepsIsFinishedByTheNext() throws SQLException {
        twoPartitionsWithEvents();
        hours(6);
        turns(2);
        confirm(SLOT);
        turns(1);
        nanos.addAndGet(WINDOW.toNanos());
        turns(1);
        assertThat(text("SELECT count(*) FROM tributary.outbox_partition WHERE detached AND name LIKE '%t00%'"))
                .isEqualTo("1");
        execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'"
                + " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())");
        assertThatThrownBy(retention::turn).isInstanceOf(SQLException.class);
        confirm(SLOT);
        start(SETTINGS).turn();
        assertThat(text("SELECT count(*) FROM pg_class WHERE relname = 'outbox_20260101t000000000'"))
                .isEqualTo("0");
    }

    @Test
    void aRoleThatMayNotSaysSo() throws SQLException {
        String role = "r" + SLOT.substring(10);
        execute("CREATE ROLE " + role + " LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA tributary TO " + role);
        try (OutboxRetention stranger =
                new OutboxRetention(() -> DriverManager.getConnection(url, role, "x"), SETTINGS)) {
            assertThatThrownBy(stranger::turn).hasMessageContaining("permission denied to set role");
        } finally {
            execute("DROP OWNED BY " + role + "; DROP ROLE " + role);
        }
    }

    /** One event in each of two hours, with two further partitions ahead. */
    private void twoPartitionsWithEvents() throws SQLException {
        turns(1);
        write("2026-01-01 00:10Z");
        write("2026-01-01 01:10Z");
    }

    /** For tests in which it waits in vain. */
    private void impatient() throws SQLException {
        retention.close();
        retention = start(new RetentionSettings(WINDOW, Duration.ofHours(1), 2, Duration.ofMillis(300)));
    }

    /** As it passes in life: all clocks move on, and the relay confirms. */
    private void passTheWindow() throws SQLException {
        for (int i = 0; i < 5; i++) {
            hours(2);
            turns(2);
            execute("SELECT pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) FROM pg_replication_slots"
                    + " WHERE slot_name = '" + SLOT + "'");
        }
    }

    private void turns(int count) throws SQLException {
        for (int i = 0; i < count; i++) {
            retention.turn();
        }
    }

    private void hours(int count) throws SQLException {
        nanos.addAndGet(TimeUnit.HOURS.toNanos(count));
        execute("UPDATE test_clock SET t = t + interval '" + count + " hours'");
    }

    private void clock(String time) throws SQLException {
        execute("UPDATE test_clock SET t = '" + time + "'");
    }

    private void createSlot(String name) throws SQLException {
        execute("SELECT pg_create_logical_replication_slot('" + name + "', 'pgoutput')");
    }

    private void confirm(String slot) throws SQLException {
        execute("SELECT pg_replication_slot_advance('" + slot + "', pg_current_wal_lsn())");
    }

    private static String insert(String at) {
        return "INSERT INTO tributary.outbox VALUES (gen_random_uuid(), 'order', 'o', NULL, 'a.v1', 'a/b', 'x', NULL, '"
                + at + "')";
    }

    private void write(String at) throws SQLException {
        execute(insert(at));
    }

    private int rows() throws SQLException {
        return Integer.parseInt(text("SELECT count(*) FROM tributary.outbox"));
    }

    private String partitionOf(String at) throws SQLException {
        return text("SELECT tableoid::regclass FROM tributary.outbox WHERE occurred_at = '" + at + "'");
    }

    /** Retention's own, without the default one. */
    private List<String> partitions() throws SQLException {
        List<String> names = new ArrayList<>();
        try (Statement statement = shared().createStatement();
                ResultSet rows = statement.executeQuery(
                        "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent ="
                                + " 'tributary.outbox'::regclass AND relname ~ '^outbox_\\d' ORDER BY 1")) {
            while (rows.next()) {
                names.add(rows.getString(1));
            }
        }
        return names;
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection(url, LocalPostgres.USER, LocalPostgres.PASSWORD);
    }

    private Connection shared() throws SQLException {
        Connection connection = shared;
        if (connection == null) {
            connection = connect();
            shared = connection;
        }
        return connection;
    }

    private void execute(String sql) throws SQLException {
        execute(shared(), sql);
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private String text(String query) throws SQLException {
        try (Statement statement = shared().createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return String.valueOf(row.getString(1));
        }
    }
}
