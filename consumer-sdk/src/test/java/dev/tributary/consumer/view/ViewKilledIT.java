package dev.tributary.consumer.view;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static dev.tributary.consumer.view.ViewBed.eventuallyLive;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.consumer.SubscriptionBed;
import dev.tributary.localstack.JavaProcess;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Instances in processes of their own, killed while they build and while they switch. */
class ViewKilledIT {
    private static final int KILLS = 3;

    private final ViewBed bed = new ViewBed(3);
    private final List<String> output = new CopyOnWriteArrayList<>();

    @AfterEach
    void close() {
        bed.close();
    }

    private JavaProcess startProcess(long eventsPerSecond, boolean switches) {
        return JavaProcess.main(ViewProcess.class)
                .jvmArgs("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                .args(
                        bed.bed.kafka.bootstrapServers(),
                        bed.database.url(),
                        bed.name,
                        bed.topic.name(),
                        Long.toString(eventsPerSecond),
                        Boolean.toString(switches))
                .output(output::add)
                .start();
    }

    private long built() {
        return bed.state(2).isEmpty() ? 0 : bed.database.number("SELECT count(*) FROM " + bed.name + "_v2.applied");
    }

    @Test
    void buildGoesOnWhereItWasKilled() throws Exception {
        bed.send(1_000);
        try (View first = bed.view(1).start()) {
            eventuallyLive(first, 1);
            bed.assertEqualsTheFold(bed.name);
        }
        for (int kill = 0; kill < KILLS; kill++) {
            try (JavaProcess process = startProcess(100, false)) {
                long before = built();
                eventually(() -> assertThat(built()).isGreaterThan(before));
                process.kill();
            }
            assertThat(bed.state(2)).isEqualTo("BUILDING");
            bed.send(20);
        }
        assertThat(built()).isLessThan(bed.sent());
        View last = bed.start(bed.view(1, 2));
        eventuallyLive(last, 2);
        bed.assertEqualsTheFold(bed.name);
        bed.assertEqualsTheFold(bed.name + "_v1");
    }

    @Test
    void switchesKilledAnywhereAreWholeOrHaveNotHappened() throws Exception {
        bed.send(300);
        View here = bed.start(bed.view(1, 2).switchAutomatically(false));
        eventuallyLive(here, 2);
        here.rebuild(1);
        here.switchTo(1, SubscriptionBed.PATIENCE);
        try (Readers readers = Readers.start(bed.database.url(), bed.name)) {
            for (int kill = 0; kill < KILLS; kill++) {
                int said = output.size();
                try (JavaProcess process = startProcess(Long.MAX_VALUE, true)) {
                    eventually(() -> assertThat(output.stream().skip(said)).contains("SWITCHED"));
                    LockSupport.parkNanos(ThreadLocalRandom.current()
                            .nextLong(Duration.ofMillis(300).toNanos()));
                    process.kill();
                }
                eventually(() -> assertThat(
                                bed.database.number(
                                        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%VIEW%' AND state LIKE 'idle in%'"))
                        .isZero());
                // At one moment: the server may still be carrying out the last that the killed one has asked for
                assertThat(bed.liveAndShown()).isIn("1 1 1", "2 2 2");
                bed.send(10);
            }
            here.switchTo(2, SubscriptionBed.PATIENCE);
            here.switchBack(SubscriptionBed.PATIENCE);
            bed.assertEqualsTheFold(bed.name);
            assertThat(readers.mistakes).isEmpty();
            assertThat(readers.shapes).contains(1, 2);
        }
        bed.assertEqualsTheFold(bed.name + "_v1");
        bed.assertEqualsTheFold(bed.name + "_v2");
    }
}
