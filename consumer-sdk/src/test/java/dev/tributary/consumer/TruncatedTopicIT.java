package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static dev.tributary.consumer.SubscriptionBed.partition;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kafka loses acknowledged records, as after an unclean election, and puts others in their places. */
class TruncatedTopicIT {
    @TempDir
    private Path data;

    @Test
    void recordsInThePlacesOfLostOnesAreNotSkipped() throws IOException {
        try (LocalKafka kafka = LocalKafka.startOwn(
                        Map.of("log.dirs", data.resolve("kafka").toString()));
                SubscriptionBed bed = new SubscriptionBed(LocalPostgres.shared(), kafka, 1)) {
            Subscription subscription = bed.start();
            bed.topic.send(bed.topic.added("a", 1), bed.topic.added("a", 2));
            bed.eventuallyApplied(2);
            Path log = data.resolve("kafka")
                    .resolve(bed.topic.partition().toString())
                    .resolve("0".repeat(20) + ".log");
            long kept = Files.size(log);
            bed.topic.send(bed.topic.added("a", 4), bed.topic.added("a", 8), bed.topic.added("a", 16));
            bed.eventuallyApplied(5);

            kafka.kill();
            try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "rw")) {
                file.setLength(kept);
            }
            kafka.start();
            // Not the topic's own producer, which the broker has forgotten
            try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                    Map.of("bootstrap.servers", kafka.bootstrapServers(), "enable.idempotence", "false"),
                    new ByteArraySerializer(),
                    new ByteArraySerializer())) {
                for (int i = 0; i < 6; i++) {
                    var unused = producer.send(bed.topic.added("b", 1));
                }
            }

            eventually(() -> assertThat(partition(subscription).state()).isEqualTo(PartitionStatus.State.STOPPED));
            assertThat(partition(subscription).reason()).contains("lost records", "offsets 2 to 4");
            assertThat(bed.view.appliedCount()).isEqualTo(5);
            String remedy = partition(subscription).remedy();
            bed.view.execute(remedy.substring(remedy.indexOf("UPDATE")));
            bed.eventuallyApplied(11);
            assertThat(bed.view.totals()).isEqualTo(Map.of("a", 31L, "b", 6L));
        }
    }
}
