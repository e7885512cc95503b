package dev.tributary.consumer.view;

import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** What a version has not applied yet of what the live one has, in events per partition; only where there is something. */
record Lag(Map<TopicPartition, Long> events) {
    private static final Comparator<TopicPartition> ORDER =
            Comparator.comparing(TopicPartition::topic).thenComparingInt(TopicPartition::partition);
    /** Where the two read different topics of one name, which cannot be compared. */
    private static final long INCOMPARABLE = 1L << 40;

    /** @param ends what stands for the live version's positions in topics that it does not read */
    static Lag between(
            VersionRow live,
            Positions livePositions,
            VersionRow next,
            Positions nextPositions,
            Map<TopicPartition, Long> ends) {
        Map<TopicPartition, Long> events = new TreeMap<>(ORDER);
        livePositions.all().forEach((partition, position) -> {
            if (next.topics().contains(partition.topic())) {
                put(events, partition, lag(position, nextPositions.all().get(partition)));
            }
        });
        ends.forEach((partition, end) -> {
            if (next.topics().contains(partition.topic()) && !live.topics().contains(partition.topic())) {
                Positions.Position at = nextPositions.all().get(partition);
                put(events, partition, end - (at == null ? 0 : at.nextOffset()));
            }
        });
        return new Lag(events);
    }

    private static long lag(Positions.Position live, Positions.@Nullable Position next) {
        if (next == null) {
            return live.nextOffset();
        }
        return live.topicId().equals(next.topicId()) ? live.nextOffset() - next.nextOffset() : INCOMPARABLE;
    }

    private static void put(Map<TopicPartition, Long> events, TopicPartition partition, long lag) {
        if (lag > 0) {
            events.put(partition, lag);
        }
    }

    boolean isZero() {
        return events.isEmpty();
    }

    long total() {
        return events.values().stream().mapToLong(Long::longValue).sum();
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        events.forEach((partition, lag) -> text.append(text.isEmpty() ? "" : ", ")
                .append(partition)
                .append(lag >= INCOMPARABLE ? " is another topic" : " by " + lag));
        return text.toString();
    }
}
