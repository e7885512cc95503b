package dev.tributary.relay.simulation;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** A partition: what it holds, each record at the offset of its index. */
final class PartitionLog {
    private final TopicPartition name;
    private final List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();

    PartitionLog(String topic, int partition) {
        this.name = new TopicPartition(topic, partition);
    }

    TopicPartition name() {
        return name;
    }

    List<ProducerRecord<byte[], byte[]>> records() {
        return records;
    }

    long end() {
        return records.size();
    }
}
