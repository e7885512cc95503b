package dev.tributary.samples.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.time.Duration;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads a topic in a thread of its own, and notes when each event, numbered by its key, has come. */
final class Arrivals implements LatencyBenchmark.Reader {
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Latencies latencies;
    private final Thread thread;
    private volatile boolean closing;

    Arrivals(String bootstrapServers, String topic, int partitions, Latencies latencies) {
        this.latencies = latencies;
        consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", bootstrapServers, "auto.offset.reset", "earliest"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
        consumer.assign(IntStream.range(0, partitions)
                .mapToObj(partition -> new TopicPartition(topic, partition))
                .toList());
        thread = new Thread(this::read, "arrivals");
        thread.start();
    }

    private void read() {
        while (!closing) {
            for (ConsumerRecord<byte[], byte[]> event : consumer.poll(Duration.ofMillis(100))) {
                latencies.arrived(Integer.parseInt(new String(event.key(), US_ASCII)), System.nanoTime());
            }
        }
        consumer.close();
    }

    @Override
    public void awaitAll() {
        latencies.awaitAll();
    }

    @Override
    public void close() {
        closing = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
