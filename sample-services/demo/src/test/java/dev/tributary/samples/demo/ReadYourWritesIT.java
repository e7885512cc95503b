package dev.tributary.samples.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.consumer.progress.Freshness;
import dev.tributary.consumer.progress.Inclusion;
import dev.tributary.consumer.progress.ViewProgress;
import dev.tributary.outbox.wire.ReadToken;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A writer, the relay, and a view that two instances keep: who waits for a write sees it. */
class ReadYourWritesIT {
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final Duration START_MAX = Duration.ofMinutes(3);
    private static final int WRITERS = 4;
    private static final int WRITES_EACH = 100;

    private final long seed = new Random().nextLong();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<ViewProgress> instances = new CopyOnWriteArrayList<>();
    private RelayedView world;

    @TempDir
    private Path directory;

    @BeforeEach
    void start() throws Exception {
        world = new RelayedView(directory);
        instances.add(world.addInstance());
        instances.add(world.addInstance());
        try (Connection connection = world.writer()) {
            world.set(connection, "first", 1);
            connection.commit();
            ReadToken token = world.outbox.token(connection);
            assertThat(instances.get(0).await(token, START_MAX).included()).isTrue();
        }
    }

    @AfterEach
    void stop() {
        threads.shutdownNow();
        world.close();
    }

    @Test
    void whoWaitsForAWriteSeesItWhateverElseHappens() throws Exception {
        AtomicInteger done = new AtomicInteger();
        List<Future<?>> writers = new ArrayList<>();
        for (int i = 0; i < WRITERS; i++) {
            int writer = i;
            writers.add(threads.submit((Callable<Void>) () -> {
                writeAndRead(writer, done);
                return null;
            }));
        }
        Future<?> others = threads.submit((Callable<Void>) this::writeOtherTables);
        awaitWrites(writers, done, 0.25);
        ViewProgress third = world.addInstance(); // partitions move
        instances.add(third);
        awaitWrites(writers, done, 0.5);
        world.restartRelay();
        awaitWrites(writers, done, 0.75);
        world.stopFeeding(instances.get(0)); // and it is asked further on
        for (Future<?> writer : writers) {
            writer.get(5, TimeUnit.MINUTES);
        }
        others.cancel(true);
    }

    private void writeAndRead(int writer, AtomicInteger done) throws Exception {
        Random random = new Random(seed + writer);
        try (Connection connection = world.writer();
                Connection fresh = world.writer()) {
            connection.createStatement().execute("SET synchronous_commit = " + (writer % 2 == 0 ? "on" : "off"));
            connection.commit();
            for (int n = 1; n <= WRITES_EACH; n++) {
                List<String> keys = new ArrayList<>();
                for (int k = 1 + random.nextInt(4); k > 0; k--) {
                    keys.add("w" + writer + "-" + random.nextInt(20));
                    world.set(connection, keys.get(keys.size() - 1), n);
                }
                connection.commit();
                ReadToken token = ReadToken.parse(world.outbox
                        .token(random.nextBoolean() ? connection : fresh)
                        .toString());
                read(token, keys, n, random);
                done.incrementAndGet();
            }
        }
    }

    private void read(ReadToken token, List<String> keys, long value, Random random) throws Exception {
        ViewProgress instance = instances.get(random.nextInt(instances.size()));
        if (random.nextInt(3) == 0) { // impatient: an answer at any moment has to be true
            Inclusion now = instance.await(token, Duration.ZERO);
            assertVisible(now.included(), keys, value, "at once");
        }
        Inclusion inclusion = instance.await(token, PATIENCE);
        assertThat(inclusion.included()).as("%s, seed %d", inclusion, seed).isTrue();
        assertVisible(true, keys, value, "waited for");
    }

    private void assertVisible(boolean included, List<String> keys, long value, String how) throws SQLException {
        if (included) {
            for (String key : keys) {
                assertThat(world.seen(key))
                        .as("%s, %s, seed %d", key, how, seed)
                        .isGreaterThanOrEqualTo(value);
            }
        }
    }

    /** Some of it committed, some of it left open for a while. */
    private Void writeOtherTables() throws Exception {
        try (Connection connection = world.writer()) {
            for (int i = 0; !Thread.currentThread().isInterrupted(); i++) {
                connection.createStatement().execute("INSERT INTO other VALUES (" + i + ", repeat('x', 1000))");
                if (i % 20 == 0) {
                    connection.commit();
                }
                TimeUnit.MILLISECONDS.sleep(5);
            }
        }
        return null;
    }

    private static void awaitWrites(List<Future<?>> writers, AtomicInteger done, double share) throws Exception {
        await().atMost(Duration.ofMinutes(3))
                .until(() -> done.get() >= share * WRITERS * WRITES_EACH
                        || writers.stream().anyMatch(Future::isDone));
        for (Future<?> writer : writers) {
            if (writer.isDone()) {
                writer.get(); // says what it failed of
            }
        }
    }

    @Test
    void anIdleSourceDoesNotKeepReadersWaitingAndAFrozenRelayIsToldOf() throws Exception {
        try (Connection connection = world.writer();
                Connection open = world.writer()) {
            for (int n = 1; n <= 10; n++) {
                world.set(connection, "a", n);
                connection.commit();
                if (n > 5) { // what is in the log only in memory, and nobody commits
                    open.createStatement().execute("INSERT INTO other VALUES (" + n + ", 'open')");
                }
                ReadToken token = world.outbox.token(connection);
                connection.rollback();
                assertThat(instances
                                .get(n % 2)
                                .await(token, Duration.ofSeconds(12)) // the server by itself may take 15 s
                                .included())
                        .isTrue();
                assertThat(world.seen("a")).isEqualTo(n);
            }

            ViewProgress view = instances.get(0);
            Instant idle = Instant.now();
            await().atMost(PATIENCE).until(() -> completeUpTo(view).isAfter(idle)); // though nothing is written
            world.relay.pause();
            world.set(connection, "a", 11);
            connection.commit();
            ReadToken token = world.outbox.token(connection);
            connection.rollback();
            await().atMost(PATIENCE)
                    .until(() -> view.freshness(world.source).age().compareTo(Duration.ofSeconds(3)) > 0);
            Inclusion inclusion = view.await(token, Duration.ofMillis(200));
            assertThat(inclusion.outcome()).isEqualTo(Inclusion.Outcome.NOT_YET);
            assertThat(inclusion.behind()).isNotNull();
            assertThat(inclusion.reason()).contains("relay of source " + world.source);
            world.relay.resume();
            assertThat(view.await(token, PATIENCE).included()).isTrue();
            assertThat(world.seen("a")).isEqualTo(11);
            await().atMost(PATIENCE)
                    .until(() -> view.freshness(world.source).age().compareTo(Duration.ofSeconds(2)) < 0);
        }
    }

    private Instant completeUpTo(ViewProgress view) {
        Freshness freshness = view.freshness(world.source);
        return freshness.completeUpTo() == null ? Instant.EPOCH : freshness.completeUpTo();
    }
}
