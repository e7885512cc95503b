package dev.tributary.consumer.view;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.consumer.Redriven;
import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionBed;
import dev.tributary.localstack.JavaProcess;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Instances are killed, frozen for longer than their session, ended and started at random, while they apply, redrive,
 * switch, retire and rebuild, and while events come twice, late, or are refused for some time.
 *
 * <p>{@code -Dtributary.seed=n} repeats the plan, {@code -Dtributary.chaos.seconds=n} makes it last.
 */
class ViewChaosIT {
    private static final long SEED = Long.getLong("tributary.seed", new Random().nextLong(1_000_000_000));
    private static final Duration CHAOS = Duration.ofSeconds(Long.getLong("tributary.chaos.seconds", 12));
    private static final Duration PATIENCE = SubscriptionBed.PATIENCE;
    private static final int INSTANCES = 3;

    private final Random random = new Random(SEED);
    private final ViewBed bed = new ViewBed(3);
    private final List<JavaProcess> instances = new ArrayList<>();

    @AfterEach
    void close() {
        instances.forEach(JavaProcess::close);
        bed.close();
    }

    private JavaProcess startInstance() {
        return JavaProcess.main(RestlessViewProcess.class)
                .jvmArgs("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                .args(
                        bed.bed.kafka.bootstrapServers(),
                        bed.database.url(),
                        bed.name,
                        bed.topic.name(),
                        Long.toString(random.nextLong()))
                .start();
    }

    @Test
    void viewEqualsTheFoldWhateverHappensToItsInstances() throws Exception {
        bed.database.execute("CREATE TABLE refusing (since timestamptz NOT NULL DEFAULT now())");
        bed.send(500);
        for (int i = 0; i < INSTANCES; i++) {
            instances.add(startInstance());
        }
        eventually(() -> assertThat(bed.state(1) + bed.state(2)).contains("LIVE"));
        AtomicBoolean quiet = new AtomicBoolean();
        Thread traffic = new Thread(() -> send(new Random(SEED), quiet));
        traffic.start();
        long end = System.nanoTime() + CHAOS.toNanos();
        try {
            while (System.nanoTime() < end) {
                disturb(random.nextInt(INSTANCES));
            }
        } finally {
            quiet.set(true);
            traffic.join();
        }
        instances.forEach(JavaProcess::close);
        bed.database.execute("DELETE FROM refusing");
        assertHeals();
    }

    private void disturb(int which) {
        JavaProcess instance = instances.get(which);
        switch (random.nextInt(4)) {
            case 0 -> {
                instance.kill();
                instances.set(which, startInstance());
            }
            case 1 -> {
                instance.terminate();
                instance.waitFor(PATIENCE);
                instances.set(which, startInstance());
            }
            case 2 -> {
                instance.pause();
                sleep(RestlessViewProcess.SESSION.multipliedBy(2));
                instance.resume();
            }
            default ->
                bed.database.execute(
                        random.nextBoolean() ? "INSERT INTO refusing DEFAULT VALUES" : "DELETE FROM refusing");
        }
        sleep(Duration.ofMillis(random.nextInt(1_000)));
    }

    private static void sleep(Duration duration) {
        LockSupport.parkNanos(duration.toNanos());
    }

    /** Some come twice, some only after others of their aggregate. */
    private void send(Random random, AtomicBoolean quiet) {
        Deque<ProducerRecord<byte[], byte[]>> held = new ArrayDeque<>();
        while (!quiet.get()) {
            for (int i = 0; i < 10; i++) {
                ProducerRecord<byte[], byte[]> record = bed.next();
                if (random.nextInt(200) == 0) {
                    held.add(record);
                } else {
                    bed.topic.enqueue(record);
                }
                if (random.nextInt(20) == 0 && !held.contains(record)) {
                    bed.topic.enqueue(record);
                }
            }
            if (held.size() > 3) {
                bed.topic.enqueue(bed.topic.later(held.remove()));
            }
            bed.topic.flush();
            sleep(Duration.ofMillis(20));
        }
        held.forEach(record -> bed.topic.enqueue(bed.topic.later(record)));
        bed.topic.flush();
    }

    private void assertHeals() throws SQLException, InterruptedException {
        View view = bed.start(
                RestlessViewProcess.view(bed.name, bed.bed.kafka.bootstrapServers(), bed.database, bed.topic.name()));
        for (int version : List.of(1, 2)) {
            if (List.of("ABORTED", "RETIRED", "").contains(bed.state(version))) {
                view.rebuild(version);
            }
        }
        eventually(() -> assertThat(view.subscriptions()).hasSize(2));
        eventually(() -> {
            for (Subscription subscription : view.subscriptions()) {
                assertThat(subscription.parkedEvents().redriveAll())
                        .as("%s, seed %d", subscription.name(), SEED)
                        .returns(List.of(), Redriven::failed);
            }
            assertThat(bed.database.number("SELECT count(*) FROM tributary.parked_event"))
                    .isZero();
            for (int version : List.of(1, 2)) {
                assertThat(bed.built(version)).as("seed %d", SEED).isEqualTo(bed.sent());
            }
        });
        for (String schema : List.of(bed.name, bed.name + "_v1", bed.name + "_v2")) {
            bed.assertEqualsTheFold(schema);
        }
        assertThat(bed.database.number("SELECT count(*) FROM tributary.parked_aggregate"))
                .isZero();
        assertThat(bed.database.number("SELECT count(*) FROM tributary.discarded_event"))
                .isZero();
    }
}
