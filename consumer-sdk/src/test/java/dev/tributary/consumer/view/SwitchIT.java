package dev.tributary.consumer.view;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static dev.tributary.consumer.view.ViewBed.eventuallyLive;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.consumer.CommitHook;
import dev.tributary.consumer.SubscriptionBed;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SwitchIT {
    private static final Duration PATIENCE = SubscriptionBed.PATIENCE;

    /** Less than a transaction that has locked something may rest. */
    private static final Duration TIME_ENOUGH_TO_APPLY = Duration.ofSeconds(1);

    private final ViewBed bed = new ViewBed(3);

    @AfterEach
    void close() {
        bed.close();
    }

    private Connection connect() throws Exception {
        return DriverManager.getConnection(bed.database.url(), LocalPostgres.USER, LocalPostgres.PASSWORD);
    }

    @Test
    void takesOverUnderTrafficAndReadersAndGoesBackAndForth() throws Exception {
        bed.send(5_000);
        View first = bed.start(bed.view(1));
        eventuallyLive(first, 1);
        bed.assertEqualsTheFold(bed.name);
        AtomicBoolean quiet = new AtomicBoolean();
        Thread traffic = new Thread(() -> {
            while (!quiet.get()) {
                bed.send(20);
                LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
            }
        });
        traffic.start();
        try (Readers readers = Readers.start(bed.database.url(), bed.name)) {
            eventually(() -> assertThat(readers.reads.get()).isGreaterThan(50));
            View second = bed.start(bed.view(1, 2));
            eventuallyLive(second, 2);
            eventuallyLive(first, 2);
            for (int round = 0; round < 3; round++) {
                second.switchBack(PATIENCE);
                assertThat(bed.state(1)).isEqualTo("LIVE");
                first.switchTo(2, PATIENCE);
                assertThat(bed.state(2)).isEqualTo("LIVE");
            }
            assertThat(readers.mistakes).isEmpty();
            long reads = readers.reads.get();
            eventually(() -> assertThat(readers.reads.get()).isGreaterThan(reads + 50));
            assertThat(readers.mistakes).isEmpty();
            assertThat(readers.shapes).contains(1, 2);
        } finally {
            quiet.set(true);
            traffic.join();
        }
        bed.assertEqualsTheFold(bed.name);
        bed.assertEqualsTheFold(bed.name + "_v1");
        bed.assertEqualsTheFold(bed.name + "_v2");
    }

    @Test
    void aLongReadDelaysTheSwitchAndNobodyElse() throws Exception {
        bed.send(100);
        eventuallyLive(bed.start(bed.view(1)), 1);
        View next = bed.start(bed.view(1, 2).switchAutomatically(false));
        eventually(() -> assertThat(ViewBed.version(next, 2).caughtUpSince()).isNotNull());
        try (Connection reader = connect();
                Statement statement = reader.createStatement()) {
            reader.setAutoCommit(false);
            statement.executeQuery("SELECT count(*) FROM " + bed.name + ".applied");
            try (Readers readers = Readers.start(bed.database.url(), bed.name)) {
                assertThatThrownBy(() -> next.switchTo(2, Duration.ofSeconds(6)))
                        .isInstanceOf(SubscriptionException.class)
                        .hasMessageContaining("not switched to version 2");
                assertThat(readers.mistakes).isEmpty();
                assertThat(readers.reads.get()).isGreaterThan(20);
                assertThat(readers.slowestMillis())
                        .as("not for as long as it was tried")
                        .isLessThan(5_000);
                reader.commit();
                next.switchTo(2, PATIENCE);
                assertThat(readers.mistakes).isEmpty();
            }
        }
    }

    /** As an instance that is frozen there, or whose network is gone, does not. */
    @Test
    void aSwitchThatDoesNotEndHoldsReadersAndEventsUpForSecondsOnly() throws Exception {
        bed.send(100);
        View here = bed.start(bed.view(1, 2).switchAutomatically(false));
        eventuallyLive(here, 2);
        here.rebuild(1);
        eventually(() -> assertThat(ViewBed.version(here, 1).caughtUpSince()).isNotNull());
        CountDownLatch woken = new CountDownLatch(1);
        CountDownLatch frozen = new CountDownLatch(1);
        AtomicBoolean freezes = new AtomicBoolean();
        View other = bed.start(bed.view(1, 2)
                .switchAutomatically(false)
                .dataSource(CommitHook.before(bed.database.dataSource(), () -> {
                    if (freezes.get() && Thread.currentThread().getName().equals("switching")) {
                        frozen.countDown();
                        await(woken);
                    }
                })));
        eventually(() -> assertThat(ViewBed.version(other, 1).caughtUpSince()).isNotNull());
        freezes.set(true);
        AtomicReference<Exception> failure = new AtomicReference<>();
        Thread switching = new Thread(() -> switchTo(other, 1, failure), "switching");
        switching.start();
        try {
            assertThat(frozen.await(60, TimeUnit.SECONDS)).isTrue();
            bed.send(10);
            bed.assertEqualsTheFold(bed.name);
            assertThat(bed.state(2)).isEqualTo("LIVE");
        } finally {
            freezes.set(false);
            woken.countDown();
            switching.join();
        }
        assertThat(failure.get()).isInstanceOf(SQLException.class);
        other.switchTo(1, PATIENCE);
        bed.assertEqualsTheFold(bed.name);
    }

    /** Or readers, who have seen it there, would miss it in the other version. */
    @Test
    void theLiveVersionTakesNothingOnceTheOtherOneIsAsFar() throws Exception {
        bed.send(100);
        AtomicBoolean counts = new AtomicBoolean();
        AtomicLong before = new AtomicLong();
        AtomicLong inLive = new AtomicLong();
        View view = bed.start(bed.view(1, 2)
                .switchAutomatically(false)
                .dataSource(CommitHook.before(bed.database.dataSource(), () -> {
                    if (counts.get() && Thread.currentThread().getName().equals("switching")) {
                        before.set(bed.built(2));
                        bed.send(10);
                        LockSupport.parkNanos(TIME_ENOUGH_TO_APPLY.toNanos());
                        inLive.set(bed.built(2));
                    }
                })));
        eventuallyLive(view, 2);
        view.rebuild(1);
        eventually(() -> assertThat(ViewBed.version(view, 1).caughtUpSince()).isNotNull());
        bed.assertEqualsTheFold(bed.name + "_v2");
        counts.set(true);
        AtomicReference<Exception> failure = new AtomicReference<>();
        for (int i = 0; i == 0 || (i < 5 && failure.get() instanceof SQLException); i++) {
            failure.set(null); // a loaded machine may rest here for longer than a switch may, which ends it
            Thread switching = new Thread(() -> switchTo(view, 1, failure), "switching");
            switching.start();
            switching.join();
        }
        assertThat(failure.get()).isNull();
        assertThat(inLive.get()).isEqualTo(before.get());
        bed.assertEqualsTheFold(bed.name);
    }

    /** Or it would take the tables away from under readers. */
    @Test
    void whoWouldDropTheVersionThatIsBecomingLiveWaitsAndIsRefused() throws Exception {
        bed.send(100);
        AtomicReference<Exception> refused = new AtomicReference<>();
        AtomicBoolean drops = new AtomicBoolean();
        View view = bed.start(bed.view(1, 2).switchAutomatically(false));
        Thread dropping = new Thread(() -> abort(view, 1, refused), "dropping");
        View other = bed.start(bed.view(1, 2)
                .switchAutomatically(false)
                .dataSource(CommitHook.before(bed.database.dataSource(), () -> {
                    if (Thread.currentThread().getName().equals("switching") && drops.getAndSet(false)) {
                        dropping.start();
                        eventually(() -> assertThat(bed.database.number("SELECT count(*) FROM pg_stat_activity"
                                        + " WHERE datname = current_database() AND wait_event_type = 'Lock'"))
                                .isPositive());
                    }
                })));
        eventuallyLive(other, 2);
        other.rebuild(1);
        eventually(() -> assertThat(ViewBed.version(other, 1).caughtUpSince()).isNotNull());
        eventuallyLive(view, 2);
        drops.set(true);
        AtomicReference<Exception> failure = new AtomicReference<>();
        Thread switching = new Thread(() -> switchTo(other, 1, failure), "switching");
        switching.start();
        switching.join();
        dropping.join();
        assertThat(failure.get()).isNull();
        assertThat(refused.get()).isInstanceOf(SubscriptionException.class).hasMessageContaining("version 1 is LIVE");
        bed.send(10);
        bed.assertEqualsTheFold(bed.name);
    }

    private static void abort(View view, int version, AtomicReference<Exception> failure) {
        try {
            view.abort(version);
        } catch (SQLException | SubscriptionException e) {
            failure.set(e);
        }
    }

    private static void switchTo(View view, int version, AtomicReference<Exception> failure) {
        try {
            view.switchTo(version, PATIENCE);
        } catch (SQLException | InterruptedException | SubscriptionException e) {
            failure.set(e);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** It would find the new tables as they were when it began. */
    @Test
    void aSnapshotFromBeforeTheBuildDelaysTheSwitch() throws Exception {
        bed.send(100);
        eventuallyLive(bed.start(bed.view(1)), 1);
        bed.assertEqualsTheFold(bed.name);
        try (Connection reader = connect();
                Statement statement = reader.createStatement()) {
            reader.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            reader.setAutoCommit(false);
            statement.executeQuery("SELECT 1");
            View next = bed.start(bed.view(1, 2));
            eventually(() -> assertThat(ViewBed.version(next, 2).problems())
                    .anySatisfy(problem -> assertThat(problem).contains("still sees the database as of")));
            try (ResultSet row = statement.executeQuery("SELECT count(*) FROM " + bed.name + ".applied")) {
                row.next();
                assertThat(row.getLong(1)).isEqualTo(100);
            }
            reader.commit();
            eventuallyLive(next, 2);
        }
    }

    @Test
    void keepsReadersRightsAndNamesThatOnlyOneVersionHas() throws Exception {
        View view = bed.start(bed.view(1, 2).switchAutomatically(false));
        eventuallyLive(view, 2);
        bed.database.execute(
                "DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
                "GRANT USAGE ON SCHEMA " + bed.name + " TO reader",
                "GRANT SELECT ON " + bed.name + ".account TO reader");
        assertThat(bed.database.strings(
                        "SELECT table_name FROM information_schema.views WHERE table_schema = '" + bed.name + "'"))
                .containsExactlyInAnyOrder("account", "applied", "only_in_two");
        view.rebuild(1);
        bed.send(10);
        view.switchTo(1, PATIENCE);
        assertThat(bed.database.strings(
                        "SELECT table_name FROM information_schema.views WHERE table_schema = '" + bed.name + "'"))
                .containsExactlyInAnyOrder("account", "applied");
        assertThat(bed.database.number(
                        "SELECT count(*) WHERE has_table_privilege('reader', '" + bed.name + ".account', 'SELECT')"))
                .isEqualTo(1);
    }
}
