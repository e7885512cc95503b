package dev.tributary.relay.replay;

import dev.tributary.outbox.wire.Replay;
import dev.tributary.relay.config.SourceConfig;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The live topics of whose events of before the snapshot a part has all, so that a view may go on there. */
final class CoveredTopics {
    private final SourceConfig source;
    private final Part part;

    CoveredTopics(SourceConfig source, Part part) {
        this.source = source;
        this.part = part;
    }

    /** Whether it has all of a topic's events if it has any. */
    boolean areWhole() {
        boolean byType = !source.topics().topicFor("a").equals(source.topics().topicFor("b"));
        return part.hasWholeTypes() && (byType || part.aggregateTypes().isEmpty());
    }

    /**
     * Where live events go on.
     *
     * @param then where the live topics ended before the snapshot was taken
     * @param now the same once the relay has come past it
     */
    Map<String, Replay.Live> goOnAt(Map<String, Replay.Live> then, Map<String, Replay.Live> now) {
        Map<String, Replay.Live> covered = new TreeMap<>();
        if (areWhole()) {
            now.forEach((topic, live) -> {
                if (has(topic)) {
                    covered.put(topic, goOnAt(then.get(topic), live));
                }
            });
        }
        return covered;
    }

    private boolean has(String topic) {
        return part.aggregateTypes().isEmpty()
                || part.aggregateTypes().stream()
                        .anyMatch(type -> source.topics().topicFor(type).equals(topic));
    }

    /** Partitions that were made since may hold what the relay was behind with: they are read from their beginning. */
    private static Replay.Live goOnAt(Replay.@Nullable Live then, Replay.Live now) {
        Map<Integer, Long> ends = then != null && then.topicId().equals(now.topicId()) ? then.offsets() : Map.of();
        Map<Integer, Long> offsets = new TreeMap<>();
        now.offsets().keySet().forEach(partition -> offsets.put(partition, ends.getOrDefault(partition, 0L)));
        return new Replay.Live(now.topicId(), offsets);
    }
}
