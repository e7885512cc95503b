package dev.tributary.samples.demo;

import dev.tributary.outbox.wire.WireHeaders;
import dev.tributary.samples.demo.Findings.Delivered;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads the sources' topics from beginning to end. */
final class Topics {
    private static final Duration POLL = Duration.ofMillis(200);

    private Topics() {}

    static List<Delivered> read(String bootstrapServers) {
        try (Consumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", bootstrapServers),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.listTopics().entrySet().stream()
                    .filter(topic -> isOfSource(topic.getKey()))
                    .flatMap(topic -> topic.getValue().stream())
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            List<Delivered> records = new ArrayList<>();
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                consumer.poll(POLL).forEach(record -> records.add(delivered(record)));
            }
            return records;
        }
    }

    private static boolean isOfSource(String topic) {
        return topic.startsWith(Services.SALES + ".") || topic.startsWith(Services.FULFILMENT + ".");
    }

    private static Delivered delivered(ConsumerRecord<byte[], byte[]> record) {
        return new Delivered(
                header(record, WireHeaders.ID),
                header(record, WireHeaders.SOURCE),
                header(record, WireHeaders.SUBJECT),
                Long.parseLong(header(record, WireHeaders.SEQUENCE)),
                header(record, WireHeaders.POSITION),
                record.topic() + "-" + record.partition());
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        Header header = record.headers().lastHeader(name);
        if (header == null) {
            throw new IllegalStateException("A record in " + record.topic() + " has no header " + name);
        }
        return new String(header.value(), StandardCharsets.UTF_8);
    }
}
