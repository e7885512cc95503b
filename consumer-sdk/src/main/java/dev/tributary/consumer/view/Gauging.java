package dev.tributary.consumer.view;

import dev.tributary.consumer.History;
import dev.tributary.consumer.view.KafkaExtents.Extent;
import dev.tributary.consumer.view.ViewStatus.Partition;
import dev.tributary.consumer.view.ViewStatus.Progress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** How far and how fast one version gets, from what Kafka has and what the database has. Not thread-safe. */
final class Gauging {
    private static final Duration RATE_OVER = Duration.ofSeconds(10);

    private final Deque<Sample> samples = new ArrayDeque<>();
    private final Map<TopicPartition, Long> firstSeen = new HashMap<>();

    private record Sample(long nanos, long offsets) {}

    Progress progress(
            Map<TopicPartition, Extent> extents, Map<TopicPartition, Long> starts, Positions positions, long now) {
        List<Partition> partitions = new ArrayList<>();
        extents.forEach((partition, extent) -> {
            long start = starts.getOrDefault(partition, 0L);
            Positions.Position at = positions.all().get(partition);
            long next = at == null ? start : Math.max(start, at.nextOffset());
            // The position may be newer than the end
            partitions.add(new Partition(
                    partition.topic(), partition.partition(), next - start, Math.max(next, extent.end()) - start));
        });
        partitions.sort(Comparator.comparing(Partition::topic).thenComparingInt(Partition::partition));
        long done = partitions.stream().mapToLong(Partition::done).sum();
        long total = partitions.stream().mapToLong(Partition::total).sum();
        double rate = rate(new Sample(now, done));
        return new Progress(done, total, rate, timeLeft(total - done, rate), List.copyOf(partitions));
    }

    /** As {@link #progress}, with replayed topics first: live ones count from where this instance first sees them begin. */
    Progress progressFromReplays(
            Map<TopicPartition, Extent> extents, List<String> replays, Positions positions, long now) {
        Map<TopicPartition, Extent> counted = new HashMap<>();
        Map<TopicPartition, Long> starts = new HashMap<>();
        boolean live = positions.all().keySet().stream().anyMatch(partition -> !replays.contains(partition.topic()));
        extents.forEach((partition, extent) -> {
            Positions.Position at = positions.all().get(partition);
            if (replays.contains(partition.topic())) {
                // The end of a transaction takes an offset, too
                counted.put(partition, live ? new Extent(0, at == null ? 0 : at.nextOffset()) : extent);
                starts.put(partition, 0L);
            } else {
                counted.put(partition, extent);
                starts.put(
                        partition,
                        at == null
                                ? Long.valueOf(extent.end())
                                : firstSeen.computeIfAbsent(partition, p -> at.nextOffset()));
            }
        });
        return progress(counted, starts, positions, now);
    }

    private double rate(Sample latest) {
        samples.addLast(latest);
        while (samples.size() > 2 && latest.nanos() - samples.getFirst().nanos() > RATE_OVER.toNanos()) {
            samples.removeFirst();
        }
        Sample first = samples.getFirst();
        long nanos = latest.nanos() - first.nanos();
        return nanos <= 0 ? 0 : Math.max(0, latest.offsets() - first.offsets()) * 1e9 / nanos;
    }

    private static @Nullable Duration timeLeft(long left, double rate) {
        if (left == 0) {
            return Duration.ZERO;
        }
        return rate < 1e-3 ? null : Duration.ofMillis((long) (left / rate * 1000));
    }

    /** What of a version's history Kafka has deleted before the version had it, with the remedy. */
    static List<String> missing(
            int version, History history, Map<TopicPartition, Extent> extents, Positions positions) {
        List<String> missing = new ArrayList<>();
        extents.forEach((partition, extent) -> {
            Positions.Position at = positions.all().get(partition);
            boolean begins = at == null && history.extent() == History.Extent.WHOLE;
            long next = at == null ? (begins ? 0 : extent.earliest()) : at.nextOffset();
            if (next < extent.earliest()) {
                missing.add("version " + version + " needs offsets " + next + " to " + (extent.earliest() - 1) + " of "
                        + partition + ", which are " + (extent.earliest() - next)
                        + " records that Kafka has deleted: have the source's events sent again (relay replay), or build"
                        + " from what there is on purpose: History.since(time), or History.remaining()");
            }
        });
        missing.sort(Comparator.naturalOrder());
        return missing;
    }
}
