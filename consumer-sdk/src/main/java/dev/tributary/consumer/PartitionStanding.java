package dev.tributary.consumer;

import dev.tributary.consumer.LiveCounters.What;
import dev.tributary.consumer.PartitionStatus.State;
import dev.tributary.consumer.PositionStore.Progress;
import java.time.Instant;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How a partition stands, for {@link PartitionStatus}; logs what changes. Written by one thread, read by any. */
final class PartitionStanding {
    private static final Logger LOG = LoggerFactory.getLogger(PartitionStanding.class);
    private static final int GARBAGE_LOGGED_MAX = 20;
    private static final int GARBAGE_LOGGED_EVERY = 1_000;

    private final String subscription;
    private final TopicPartition partition;
    private final LiveCounters counters;
    private volatile Standing standing = new Standing(State.OPENING, Instant.now(), "", "");
    private volatile @Nullable Progress progress;
    private volatile long end = -1;
    private long garbageSeen;

    private record Standing(State state, Instant since, String reason, String remedy) {}

    PartitionStanding(String subscription, TopicPartition partition, LiveCounters counters) {
        this.subscription = subscription;
        this.partition = partition;
        this.counters = counters;
    }

    void running() {
        Standing before = standing;
        if (become(State.RUNNING, "", "")) {
            LOG.info(
                    "{} {}: {} at offset {}",
                    subscription,
                    partition,
                    before.state() == State.OPENING ? "running" : "running again",
                    progress == null ? "?" : progress.nextOffset());
        }
    }

    void retrying(String reason) {
        counters.add(What.RETRIES, 1);
        if (become(State.RETRYING, reason, "")) {
            LOG.warn("{} {}: trying again: {}", subscription, partition, reason);
        }
    }

    void stopped(Stop stop) {
        if (become(State.STOPPED, stop.reason(), stop.remedy())) {
            LOG.error("{} {}: stopped: {}. Remedy: {}", subscription, partition, stop.reason(), stop.remedy());
        }
    }

    private boolean become(State state, String reason, String remedy) {
        Standing before = standing;
        if (before.state() == state && before.reason().equals(reason)) {
            return false;
        }
        Instant since = before.state() == state ? before.since() : Instant.now();
        standing = new Standing(state, since, reason, remedy);
        return true;
    }

    void progress(Progress committed) {
        progress = committed;
    }

    /** The partition's end in Kafka, as far as it is known. */
    void end(long offset) {
        end = offset;
    }

    void garbage(Incoming.Undecodable undecodable) {
        garbageSeen++;
        if (garbageSeen <= GARBAGE_LOGGED_MAX || garbageSeen % GARBAGE_LOGGED_EVERY == 0) {
            LOG.warn(
                    "{}: skipped garbage at {}-{}-{}, number {} here: {}",
                    subscription,
                    partition.topic(),
                    partition.partition(),
                    undecodable.record().offset(),
                    garbageSeen,
                    undecodable.reason());
        }
    }

    void poison(Event<?> event, Throwable error) {
        LOG.error(
                "{} {}: parking {} {} of {}: event {} of type {} at offset {} cannot be applied",
                subscription,
                partition,
                event.aggregateType(),
                event.aggregateId(),
                event.source(),
                event.id(),
                event.type(),
                event.offset(),
                error);
    }

    void gap(String sentence) {
        LOG.error("{} {}: parking {}", subscription, partition, sentence);
    }

    PartitionStatus read() {
        Standing now = standing;
        Progress at = progress;
        return new PartitionStatus(
                partition.topic(),
                partition.partition(),
                now.state(),
                now.since(),
                now.reason(),
                now.remedy(),
                at == null ? null : at.nextOffset(),
                at == null ? Map.of() : at.positions(),
                at == null || end < 0 ? null : Math.max(0, end - at.nextOffset()),
                counters.read());
    }
}
