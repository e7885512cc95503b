package dev.tributary.consumer;

import dev.tributary.consumer.SubscriptionStatus.State;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The polling thread: one {@link KafkaSession} after the other, for as long as the subscription is open. */
final class PollLoop {
    private static final Logger LOG = LoggerFactory.getLogger(PollLoop.class);
    private static final Duration LEAVE_MAX = Duration.ofSeconds(5);

    private final SubscriptionConfig config;
    private final Thread thread;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Map<TopicPartition, LiveCounters> counters = new ConcurrentHashMap<>();
    private final @Nullable ReplayedHistory history;
    private volatile @Nullable KafkaSession session;
    private volatile String failure = "";
    private volatile Runnable afterCommit = () -> {};
    private String logged = "";

    PollLoop(SubscriptionConfig config) {
        this.config = config;
        this.history = ReplayedHistory.of(config);
        this.thread = new Thread(this::run, "tributary-" + config.name());
    }

    SubscriptionConfig config() {
        return config;
    }

    void onCommit(Runnable listener) {
        afterCommit = listener;
    }

    @Nullable
    String topicId(String topic) {
        KafkaSession now = session;
        return now == null ? null : now.probe().topicId(topic);
    }

    /** What this instance has done with a partition's events. */
    LiveCounters counters(TopicPartition partition) {
        return counters.computeIfAbsent(partition, p -> new LiveCounters());
    }

    void start() {
        thread.start();
    }

    private void run() {
        Backoff backoff = new Backoff(config.timeouts().retryMax());
        while (!isClosing()) {
            try (KafkaSession opened = new KafkaSession(config, this::counters, () -> afterCommit.run(), history)) {
                session = opened;
                while (!isClosing() && !opened.isOutdated()) {
                    opened.poll();
                    failure = "";
                    logChange();
                    backoff.reset();
                }
            } catch (
                    Throwable e) { // an Error too: a thread that ended here would leave a subscription that looks alive
                failed(e);
                pause(backoff.next());
            } finally {
                session = null;
            }
        }
    }

    private void failed(Throwable e) {
        // That a client could not be made says nothing; why does
        Throwable why = e instanceof KafkaException && e.getCause() instanceof KafkaException cause ? cause : e;
        failure = "cannot read from Kafka: " + Failures.describe(why);
        if (e instanceof Error) {
            LOG.error("{}: Kafka session ended", config.name(), e);
        } else {
            LOG.debug("{}: Kafka session ended", config.name(), e);
        }
        logChange();
    }

    /** Says once that events cannot come, and why, and once that they can again. */
    private void logChange() {
        String problem = problem();
        if (!problem.equals(logged)) {
            if (problem.isEmpty()) {
                LOG.info("{}: Kafka is there", config.name());
            } else {
                LOG.warn(
                        "{}: waiting: {} ({})",
                        config.name(),
                        problem,
                        config.kafka().get("bootstrap.servers"));
            }
            logged = problem;
        }
    }

    private String problem() {
        KafkaSession now = session;
        return !failure.isEmpty() || now == null ? failure : now.probe().problem();
    }

    SubscriptionStatus status() {
        KafkaSession now = session;
        List<PartitionStatus> partitions = now == null ? List.of() : now.partitions();
        return new SubscriptionStatus(
                config.name(),
                state(now),
                problem(),
                partitions.stream()
                        .sorted(Comparator.comparing(PartitionStatus::topic)
                                .thenComparingInt(PartitionStatus::partition))
                        .toList(),
                LiveCounters.sum(counters.values()));
    }

    private State state(@Nullable KafkaSession now) {
        if (isClosing()) {
            return State.CLOSED;
        }
        if (!problem().isEmpty()) {
            return State.WAITING;
        }
        return now != null && now.probe().hasAnswered() ? State.RUNNING : State.STARTING;
    }

    private boolean isClosing() {
        return closing.getCount() == 0;
    }

    private void pause(Duration duration) {
        try {
            var unused = closing.await(duration.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            // Only close() is for ending this thread
            LOG.debug("{}: interrupted", config.name());
        }
    }

    void close() {
        closing.countDown();
        KafkaSession now = session;
        if (now != null) {
            now.wake();
        }
        try {
            thread.join(config.timeouts().close().plus(LEAVE_MAX).toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
