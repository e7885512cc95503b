package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.localstack.JavaProcess;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A redrive that is killed again and again at any point, while the live subscription goes on elsewhere. */
class KilledRedriveIT {
    private static final int KILLS = 5;
    private static final int PARKED = 1_500;

    private final SubscriptionBed bed = new SubscriptionBed();
    private final TestTopic topic = bed.topic;
    private volatile boolean broken = true;

    @AfterEach
    void close() {
        bed.close();
    }

    @Test
    void eachEventTakesEffectOnceAndInOrder() throws SQLException {
        Subscription subscription = bed.start(bed.bare().on(Added.TYPE, Added.class, (event, connection) -> {
            ViewDatabase.apply(event, connection);
            if (broken && event.sequence() == 1) {
                throw new IllegalArgumentException("broken");
            }
        }));
        long sent = 0;
        for (; sent < PARKED; sent++) {
            topic.enqueue(topic.added("p" + sent % 3, 1));
        }
        topic.flush();
        eventually(
                () -> assertThat(subscription.parkedEvents().count().events()).isEqualTo(PARKED));
        broken = false;
        for (int kill = 0; kill < KILLS; kill++) {
            List<String> output = new CopyOnWriteArrayList<>();
            try (JavaProcess process = JavaProcess.main(RedriverProcess.class)
                    .jvmArgs("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                    .args(bed.kafka.bootstrapServers(), bed.view.url(), bed.name, topic.name())
                    .output(output::add)
                    .start()) {
                int until = ThreadLocalRandom.current().nextInt(20, 120);
                eventually(() -> assertThat(output).hasSizeGreaterThan(until));
                process.kill();
            }
            for (int i = 0; i < 3; i++, sent++) {
                topic.send(topic.added("p" + sent % 3, 1));
            }
        }
        long before = subscription.parkedEvents().count().events();
        assertThat(before).as("left over by the killed ones").isBetween(1L, (long) PARKED);
        assertThat(subscription.parkedEvents().redriveAll().failed()).isEmpty();
        bed.eventuallyApplied(sent);
        assertThat(bed.view.appliedIds()).doesNotHaveDuplicates();
        long each = sent / 3;
        bed.view.sequences().values().forEach(sequences -> assertThat(sequences)
                .isEqualTo(LongStream.rangeClosed(1, each).boxed().toList()));
    }
}
