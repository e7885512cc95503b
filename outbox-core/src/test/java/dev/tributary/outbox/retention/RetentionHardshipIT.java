package dev.tributary.outbox.retention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Retention and a server that forgets; and one that is frozen (SIGSTOP) in the middle of its steps. */
class RetentionHardshipIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Duration SOME_TURNS = Duration.ofSeconds(3);

    @Test
    void aSlotWhoseWalIsLostKeepsEverythingAndTheWarningGrows() throws SQLException {
        Map<String, String> forgetful =
                Map.of("max_slot_wal_keep_size", "1MB", "max_wal_size", "32MB", "min_wal_size", "32MB");
        try (LocalPostgres postgres = LocalPostgres.startOwn(forgetful);
                RetentionBed bed = RetentionBed.on(postgres)) {
            OutboxRetention retention = bed.start(
                    new RetentionSettings(Duration.ofHours(3), Duration.ofHours(1), 2, Duration.ofSeconds(20)));
            retention.turn();
            bed.write();
            bed.hours(1);
            bed.write();
            bed.hours(1);
            retention.turn();
            retention.turn();
            bed.confirm();
            retention.turn();
            await().atMost(SOON).until(() -> {
                bed.execute("SELECT pg_logical_emit_message(false, 'x', 'x'); SELECT pg_switch_wal()");
                bed.execute("CHECKPOINT");
                return bed.text("SELECT wal_status FROM pg_replication_slots").equals("lost");
            });
            assertThat(bed.text("SELECT confirmed_flush_lsn IS NOT NULL FROM pg_replication_slots"))
                    .as("it still says what it had confirmed")
                    .isEqualTo("t");
            Duration overdue = Duration.ZERO;
            for (int i = 0; i < 3; i++) {
                bed.hours(12);
                retention.turn();
                RetentionStatus status = retention.turn();
                assertThat(bed.rows()).isEqualTo(2);
                assertThat(status.trouble()).isEqualTo("not confirmed yet by " + bed.slot());
                assertThat(status.remedy()).contains("drop the slot");
                assertThat(status.overdue()).isGreaterThanOrEqualTo(overdue.plusHours(5));
                overdue = status.overdue();
            }
        }
    }

    @Test
    void oneThatIsFrozenInTheMiddleOfAStepHoldsUpWritersForThePauseAtMostAndGoesOn() throws Exception {
        try (RetentionBed bed = RetentionBed.create();
                JavaProcess process = JavaProcess.main(RetentionProcess.class)
                        .jvmArgs("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                        .args(bed.url())
                        .outputHere()
                        .start()) {
            await().atMost(SOON).until(() -> dropped(bed) > 0);
            freezeWhile(bed, process, "LOCK TABLE tributary.outbox_default IN ACCESS SHARE MODE", "ATTACH PARTITION");
            freezeWhile(bed, process, insert(), "IN SHARE MODE");
            freezeWhile(bed, process, "LOCK TABLE ONLY tributary.outbox IN ACCESS SHARE MODE", "DETACH PARTITION");
        }
    }

    /** The other one's transaction makes the step wait until it is frozen. */
    private static void freezeWhile(RetentionBed bed, JavaProcess process, String other, String step)
            throws SQLException {
        try (Connection open = bed.connect()) {
            open.setAutoCommit(false);
            await().atMost(SOON).until(() -> {
                if (!other.equals(insert())) { // a lock that is old already is not waited for
                    open.rollback();
                    publish(bed);
                }
                RetentionBed.execute(open, other);
                return waits(bed, step);
            });
            process.pause();
            bed.execute("SET lock_timeout = '30s'");
            bed.execute(insert());
            await("of " + step).atMost(SOON).until(() -> bed.text(
                            "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE"
                                    + " a.datname = current_database() AND a.application_name LIKE 'PostgreSQL JDBC%'"
                                    + " AND l.mode IN ('AccessExclusiveLock', 'ShareLock') AND relation IS NOT NULL")
                    .equals("0"));
            open.rollback();
            process.resume();
        }
        long before = dropped(bed);
        await("after " + step).atMost(SOON).until(() -> {
            publish(bed);
            return dropped(bed) > before;
        });
    }

    /** For some turns: it waits for moments only, in which nobody can publish. */
    private static boolean waits(RetentionBed bed, String step) throws SQLException {
        long start = System.nanoTime();
        boolean waits = bed.waiting(step);
        while (!waits && System.nanoTime() - start < SOME_TURNS.toNanos()) {
            LockSupport.parkNanos(Duration.ofMillis(10).toNanos());
            waits = bed.waiting(step);
        }
        return waits;
    }

    private static String insert() {
        return "INSERT INTO tributary.outbox VALUES (gen_random_uuid(), 'order', 'o', NULL, 'a.v1', 'a/b', 'x', NULL,"
                + " statement_timestamp())";
    }

    private static void publish(RetentionBed bed) throws SQLException {
        bed.execute(insert());
        bed.confirm();
    }

    /** Up to where, as it grows. */
    private static long dropped(RetentionBed bed) throws SQLException {
        publish(bed);
        return Long.parseLong(bed.text("SELECT coalesce(max(lsn) - '0/0', 0)::bigint FROM tributary.outbox_dropped"));
    }
}
