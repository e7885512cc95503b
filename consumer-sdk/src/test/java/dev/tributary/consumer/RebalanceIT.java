package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class RebalanceIT {
    private static final int EVENTS = 12_000;
    private static final int AGGREGATES = 50;

    private final long seed = new Random().nextLong();

    @Test
    void instancesThatComeAndGoUnderLoadLoseAndDoubleNothing() throws ExecutionException, InterruptedException {
        Random random = new Random(seed);
        Map<String, Long> expected = new HashMap<>();
        try (SubscriptionBed bed = new SubscriptionBed(LocalPostgres.shared(), LocalKafka.shared(), 6)) {
            List<Subscription> running = new ArrayList<>();
            ExecutorService producing = Executors.newSingleThreadExecutor();
            Future<?> load = producing.submit(() -> produce(bed.topic, expected));
            for (int turn = 0; turn < 12; turn++) {
                if (running.isEmpty() || (running.size() < 3 && random.nextBoolean())) {
                    running.add(bed.start(
                            bed.accounts().limits(Limits.ofDefaults().withBatchEventsMax(1 + random.nextInt(100)))));
                } else {
                    running.remove(random.nextInt(running.size())).close();
                }
                long applied = bed.view.appliedCount();
                if (!running.isEmpty()) {
                    eventually(() -> assertThat(bed.view.appliedCount())
                            .isGreaterThanOrEqualTo(Math.min(EVENTS, applied + 200)));
                }
            }
            load.get();
            producing.shutdown();
            bed.start();
            bed.eventuallyApplied(EVENTS);
            assertThat(bed.view.totals()).as("seed %d", seed).isEqualTo(expected);
            bed.view.sequences().forEach((id, sequences) -> {
                assertThat(sequences).as("order of %s, seed %d", id, seed).isSorted();
                assertThat(sequences).doesNotHaveDuplicates();
            });
        }
    }

    private static void produce(TestTopic topic, Map<String, Long> expected) {
        for (int i = 0; i < EVENTS; i++) {
            String aggregate = "a" + i % AGGREGATES;
            expected.merge(aggregate, (long) i, Long::sum);
            var record = topic.added(aggregate, i);
            topic.enqueue(record);
            if (i % 10 == 0) {
                topic.enqueue(record);
            }
        }
        topic.flush();
    }
}
