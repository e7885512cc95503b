package dev.tributary.consumer.view;

import dev.tributary.outbox.wire.WireHeaders;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * Finds the events behind rows: those of aggregates whose id is among a row's values. Reads the topics once, for all rows,
 * from the beginning; looks at keys only until one fits.
 */
final class EventSearch {
    private static final Duration POLL_MAX = Duration.ofMillis(500);
    private static final int ID_CHARS_MAX = 1_024;

    private final Surroundings surroundings;
    private final Map<TopicPartition, Long> replayed;
    private final Map<TopicPartition, Long> ends;
    private final Map<String, List<Traces>> byId = new HashMap<>();

    /**
     * @param replayed partitions with history that live topics may not have any more, and where to stop in each
     * @param ends where to stop in each partition of live topics
     */
    EventSearch(Surroundings surroundings, Map<TopicPartition, Long> replayed, Map<TopicPartition, Long> ends) {
        this.surroundings = surroundings;
        this.replayed = replayed;
        this.ends = ends;
    }

    /** A row's events, the last ones. Those of aggregates that the row is named after say most. */
    private static final class Traces {
        private final Set<String> key;
        private final Deque<EventTrace> byKey = new ArrayDeque<>();
        private final Deque<EventTrace> byOthers = new ArrayDeque<>();

        Traces(Collection<@Nullable String> key) {
            this.key = new HashSet<>(key);
        }

        void add(String aggregateId, EventTrace event) {
            Deque<EventTrace> events = key.contains(aggregateId) ? byKey : byOthers;
            events.removeIf(each -> each.id().equals(event.id())); // replayed, and live as well
            if (events.size() == RowDifference.EVENTS_MAX) {
                events.removeFirst();
            }
            events.addLast(event);
        }

        List<EventTrace> events() {
            return List.copyOf(byKey.isEmpty() ? byOthers : byKey);
        }
    }

    /** The rows with their events. */
    List<RowDifference> describe(List<DriftedRow> rows) {
        List<Traces> traces = new ArrayList<>();
        for (DriftedRow row : rows) {
            Traces own = new Traces(row.key());
            traces.add(own);
            row.values()
                    .filter(value -> !value.isEmpty() && value.length() <= ID_CHARS_MAX)
                    .distinct()
                    .forEach(value ->
                            byId.computeIfAbsent(value, v -> new ArrayList<>()).add(own));
        }
        if (!byId.isEmpty()) {
            readTopics(replayed);
            readTopics(ends);
        }
        List<RowDifference> described = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            described.add(rows.get(i).described(traces.get(i).events()));
        }
        return described;
    }

    private void readTopics(Map<TopicPartition, Long> ends) {
        Set<TopicPartition> open = new HashSet<>();
        ends.forEach((partition, end) -> {
            if (end > 0) {
                open.add(partition);
            }
        });
        if (open.isEmpty()) {
            return;
        }
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings())) {
            consumer.assign(open);
            consumer.seekToBeginning(open);
            while (!open.isEmpty()) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL_MAX)) {
                    look(record, ends);
                }
                open.removeIf(partition -> consumer.position(partition) >= ends.getOrDefault(partition, 0L));
                consumer.assign(open);
            }
        }
    }

    private Map<String, Object> settings() {
        Map<String, Object> settings = new HashMap<>(surroundings.kafka());
        settings.keySet()
                .removeAll(Set.of(
                        ConsumerConfig.GROUP_ID_CONFIG,
                        ConsumerConfig.GROUP_INSTANCE_ID_CONFIG,
                        ConsumerConfig.GROUP_PROTOCOL_CONFIG,
                        ConsumerConfig.CLIENT_ID_CONFIG));
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class.getName());
        settings.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class.getName());
        return settings;
    }

    private void look(ConsumerRecord<byte[], byte[]> record, Map<TopicPartition, Long> ends) {
        long end = ends.getOrDefault(new TopicPartition(record.topic(), record.partition()), 0L);
        if (record.key() == null || record.offset() >= end) {
            return;
        }
        String id = new String(record.key(), StandardCharsets.UTF_8);
        List<Traces> wanted = byId.get(id);
        if (wanted != null) {
            EventTrace event = trace(record, id);
            wanted.forEach(row -> row.add(id, event));
        }
    }

    private static EventTrace trace(ConsumerRecord<byte[], byte[]> record, String id) {
        String source = Objects.requireNonNullElse(header(record, WireHeaders.SOURCE), "?");
        return new EventTrace(
                Objects.requireNonNullElse(header(record, WireHeaders.ID), "?"),
                Objects.requireNonNullElse(header(record, WireHeaders.TYPE), "?"),
                source.startsWith("/") ? source.substring(1) : source,
                Objects.requireNonNullElse(header(record, WireHeaders.SUBJECT), id),
                header(record, WireHeaders.POSITION),
                record.topic(),
                record.partition(),
                record.offset());
    }

    private static @Nullable String header(ConsumerRecord<?, ?> record, String name) {
        Header header = record.headers().lastHeader(name);
        return header == null || header.value() == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }
}
