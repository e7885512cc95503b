package dev.tributary.consumer.view;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static dev.tributary.consumer.view.ViewBed.eventuallyLive;
import static dev.tributary.consumer.view.ViewBed.version;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tributary.consumer.FailingDataSource;
import dev.tributary.consumer.PartitionStatus;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.localstack.SmallDisk;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

/** The database goes away, or has no room left, while versions are built and switched; nobody touches the instance. */
class ViewOutagesIT {
    private static final int KILLS = 3;

    private static LocalPostgres postgres;

    @BeforeAll
    static void startOwn() {
        postgres = LocalPostgres.startOwn();
    }

    @AfterAll
    static void closeOwn() {
        postgres.close();
    }

    /** One version live, and another one that is built slowly beside it. */
    private static View startBuilding(ViewBed bed) {
        bed.startLiveAlone();
        View view = bed.start(bed.view(1, 2).buildEventsPerSecondMax(100).limits(ViewBed.SMALL));
        eventually(() -> assertThat(bed.built(2)).isPositive());
        return view;
    }

    private static void assertAllEqualTheFold(ViewBed bed) {
        bed.assertEqualsTheFold(bed.name);
        bed.assertEqualsTheFold(bed.name + "_v1");
        bed.assertEqualsTheFold(bed.name + "_v2");
    }

    @Test
    void databaseKilledAndRestartedWhileItBuilds() {
        try (ViewBed bed = new ViewBed(postgres, 2)) {
            bed.send(700);
            View view = startBuilding(bed);
            for (Runnable outage : List.<Runnable>of(postgres::kill, postgres::stop)) {
                long before = bed.built(2);
                outage.run();
                bed.send(20);
                eventually(() -> assertThat(view.status().problem()).isNotEmpty());
                postgres.start();
                assertThat(bed.state(2)).isEqualTo("BUILDING");
                eventually(() -> assertThat(bed.built(2)).isGreaterThan(before));
            }
            assertThat(bed.built(2)).isLessThan(bed.sent());
            eventuallyLive(view, 2);
            eventually(() -> assertThat(view.status().problem()).isEmpty());
            assertAllEqualTheFold(bed);
        }
    }

    @Test
    void errorAndExceptionOfTheDataSourceAreToldAndTriedAgain() {
        try (ViewBed bed = new ViewBed(postgres, 1)) {
            FailingDataSource failing = new FailingDataSource(bed.database.dataSource());
            bed.send(10);
            View view = bed.start(bed.view(1).dataSource(failing.dataSource()));
            eventuallyLive(view, 1);
            for (Throwable failure :
                    List.of(new IllegalStateException("no route to a pool"), new NoClassDefFoundError("driver"))) {
                failing.failsWith(failure);
                eventually(() -> assertThat(view.status().problem()).contains(failure.getMessage()));
                bed.send(10);
                failing.works();
                eventually(() -> assertThat(view.status().problem()).isEmpty());
                bed.assertEqualsTheFold(bed.name);
            }
        }
    }

    @Test
    void aVersionIsFedOnceThoughItsBeginningFailed() {
        Deque<Throwable> failures = new ConcurrentLinkedDeque<>(List.of(
                new SQLException("gone"),
                new IllegalStateException("no route to a pool"),
                new NoClassDefFoundError("driver")));
        try (ViewBed bed = new ViewBed(postgres, 1)) {
            DataSource real = bed.database.dataSource();
            DataSource failing = (DataSource) Proxy.newProxyInstance(
                    getClass().getClassLoader(), new Class<?>[] {DataSource.class}, (self, method, arguments) -> {
                        Throwable failure = isAskedWhatToRead() ? failures.poll() : null;
                        if (failure != null) {
                            throw failure;
                        }
                        return method.invoke(real, arguments);
                    });
            View before = bed.start(bed.view(1));
            eventuallyLive(before, 1);
            before.close();
            bed.database.execute("UPDATE tributary.view_version SET topics = '{}'"); // it is to read others from now on
            View view = bed.start(bed.view(1).dataSource(failing));
            eventuallyLive(view, 1);
            eventually(() -> assertThat(view.subscriptions()).hasSize(1));
            assertThat(failures).isEmpty();
            String poller = "tributary-" + view.subscriptions().get(0).name();
            eventually(() -> assertThat(Thread.getAllStackTraces().keySet())
                    .filteredOn(thread -> thread.getName().equals(poller))
                    .hasSize(1));
            bed.send(10);
            bed.assertEqualsTheFold(bed.name);
        }
    }

    /** By a fleet, when it has started a subscription and is to note what that reads. */
    private static boolean isAskedWhatToRead() {
        return StackWalker.getInstance()
                .walk(frames -> frames.map(frame -> frame.getClassName() + "." + frame.getMethodName())
                        .filter(name -> name.matches(".*\\.(Fleet|AsideBuild)\\.feed"))
                        .findFirst()
                        .filter(name -> name.contains("Fleet"))
                        .isPresent());
    }

    @Test
    void kafkaWhoseNameIsNotKnownYetIsWaitedFor() {
        try (ViewBed bed = new ViewBed(postgres, 1)) {
            View view = bed.start(bed.view(1).kafka(Map.of("bootstrap.servers", "kafka.invalid:9092")));
            eventually(() -> assertThat(view.status().problem()).contains("Kafka does not say"));
            eventually(() -> assertThat(view.subscriptions()).hasSize(1));
        }
    }

    @Test
    void databaseKilledWhileItSwitches() throws Exception {
        try (ViewBed bed = new ViewBed(postgres, 2)) {
            bed.send(100);
            View view = bed.start(bed.view(1, 2).switchAutomatically(false));
            eventuallyLive(view, 2);
            view.rebuild(1);
            AtomicInteger switched = new AtomicInteger();
            Thread switching = new Thread(() -> switchForEver(view, switched));
            switching.start();
            try {
                for (int kill = 0; kill < KILLS; kill++) {
                    int before = switched.get();
                    eventually(() -> assertThat(switched.get()).isGreaterThan(before));
                    LockSupport.parkNanos(ThreadLocalRandom.current()
                            .nextLong(Duration.ofMillis(200).toNanos()));
                    postgres.kill();
                    postgres.start();
                    bed.send(10);
                }
            } finally {
                switching.interrupt();
                switching.join();
            }
            assertThat(bed.liveAndShown()).isIn("1 1 1", "2 2 2");
            assertAllEqualTheFold(bed);
        }
    }

    private static void switchForEver(View view, AtomicInteger switched) {
        int next = 1;
        while (!Thread.currentThread().isInterrupted()) {
            try {
                view.switchTo(next, Duration.ofSeconds(5));
                switched.incrementAndGet();
                next = 3 - next;
            } catch (SubscriptionException | SQLException e) {
                // As is to be expected; what counts is what the database has in the end
                LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Test
    void diskFullWhileEventsAreAppliedAndAVersionIsBuilt(@TempDir Path directory) throws SQLException {
        assumeTrue(
                System.getProperty("tributary.stack", "embedded").equals("embedded"),
                "puts the server's files on a disk of its own, which containers cannot see");
        try (SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), 48)
                .orElseThrow(
                        () -> new TestAbortedException("no disk can be mounted here: that takes Linux and root"))) {
            execute("CREATE TABLESPACE small LOCATION '" + disk.path() + "'");
            try (ViewBed bed = new ViewBed(postgres, 1)) {
                bed.database.moveTo("small");
                bed.send(500);
                View view = startBuilding(bed);
                disk.fill();
                bed.send(500);
                eventually(() -> {
                    for (int number : List.of(1, 2)) {
                        assertThat(version(view, number).problems())
                                .anySatisfy(problem -> assertThat(problem).contains("No space left on device"));
                    }
                    assertThat(view.subscriptions())
                            .flatExtracting(each -> each.status().partitions())
                            .extracting(PartitionStatus::state)
                            .containsOnly(PartitionStatus.State.RETRYING);
                });
                assertThat(bed.state(2)).isEqualTo("BUILDING");
                assertThat(bed.built(1)).isLessThan(bed.sent());
                disk.free();
                eventuallyLive(view, 2);
                assertAllEqualTheFold(bed);
                assertThat(bed.database.number("SELECT count(*) FROM tributary.parked_event"))
                        .isZero();
                eventually(() -> assertThat(version(view, 2).problems()).isEmpty());
            }
            execute("DROP TABLESPACE small");
        }
    }

    private static void execute(String sql) throws SQLException {
        try (Connection connection = postgres.connect(postgres.url("postgres"));
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
