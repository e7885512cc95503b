package dev.tributary.relay.simulation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.record.TimestampType;

/** A consumer without a group. */
@SuppressWarnings({"MissingSuperCall", "UnsynchronizedOverridesSynchronized"
}) // nothing of the mock's own is used; it spares the methods that nobody calls
final class SimulatedConsumer extends MockConsumer<byte[], byte[]> {
    private final SimulatedRelay owner;
    private final World world;
    private final Map<TopicPartition, Long> positions = new LinkedHashMap<>();

    SimulatedConsumer(SimulatedRelay owner) {
        super("none");
        this.owner = owner;
        this.world = owner.world();
    }

    private SimulatedKafka ask(Duration timeout) {
        owner.turn();
        if (!world.kafka().isUp()) {
            world.passes(timeout.toNanos());
            throw new TimeoutException("simulated: no broker");
        }
        return world.kafka();
    }

    private PartitionLog log(TopicPartition name) {
        PartitionLog log = world.kafka().find(name.topic(), name.partition());
        if (log == null) {
            throw new IllegalStateException("nobody should ask for " + name);
        }
        return log;
    }

    @Override
    public List<PartitionInfo> partitionsFor(String topic, Duration timeout) {
        List<PartitionInfo> infos = new ArrayList<>();
        List<PartitionLog> logs = ask(timeout).topics().getOrDefault(topic, List.of());
        for (PartitionLog log : logs) {
            infos.add(new PartitionInfo(topic, log.name().partition(), null, null, null));
        }
        return infos;
    }

    @Override
    public Map<TopicPartition, Long> beginningOffsets(Collection<TopicPartition> partitions, Duration timeout) {
        ask(timeout);
        Map<TopicPartition, Long> offsets = new HashMap<>();
        partitions.forEach(partition -> offsets.put(partition, 0L));
        return offsets;
    }

    @Override
    public Map<TopicPartition, Long> endOffsets(Collection<TopicPartition> partitions, Duration timeout) {
        ask(timeout);
        Map<TopicPartition, Long> offsets = new HashMap<>();
        partitions.forEach(partition -> offsets.put(partition, log(partition).end()));
        return offsets;
    }

    @Override
    public void assign(Collection<TopicPartition> partitions) {
        positions.keySet().retainAll(partitions);
        partitions.forEach(partition -> positions.putIfAbsent(partition, 0L));
    }

    @Override
    public void seek(TopicPartition partition, long offset) {
        positions.put(partition, offset);
    }

    @Override
    public long position(TopicPartition partition, Duration timeout) {
        return positions.getOrDefault(partition, 0L);
    }

    @Override
    public ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
        owner.turn();
        Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> polled = new HashMap<>();
        if (!world.kafka().isUp()) {
            world.passes(timeout.toNanos());
            return new ConsumerRecords<>(polled, Map.of());
        }
        for (Map.Entry<TopicPartition, Long> position : positions.entrySet()) {
            PartitionLog log = log(position.getKey());
            long to = Math.min(log.end(), position.getValue() + world.below(12));
            List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
            for (long offset = position.getValue(); offset < to; offset++) {
                records.add(consumed(log.name(), offset, log.records().get((int) offset)));
            }
            position.setValue(to);
            if (!records.isEmpty() && !hides(log)) {
                polled.put(log.name(), records);
            }
        }
        return new ConsumerRecords<>(polled, Map.of());
    }

    /** Who skips by the highest position looks at no more than that. */
    private boolean hides(PartitionLog log) {
        return world.bug() == PlantedBug.SKIP_BY_HIGHEST_PARTITION
                && !log.name().topic().equals(World.MARKS);
    }

    private static ConsumerRecord<byte[], byte[]> consumed(
            TopicPartition from, long offset, ProducerRecord<byte[], byte[]> record) {
        return new ConsumerRecord<>(
                from.topic(),
                from.partition(),
                offset,
                0L,
                TimestampType.CREATE_TIME,
                record.key().length,
                record.value().length,
                record.key(),
                record.value(),
                record.headers(),
                Optional.empty());
    }

    @Override
    public void close() {}
}
