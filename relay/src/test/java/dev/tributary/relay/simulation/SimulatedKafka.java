package dev.tributary.relay.simulation;

import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.WireHeaders;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/** Topics, and the batches that are on their way to them from all producers that live or have left something behind. */
final class SimulatedKafka {
    private final World world;
    private final Map<String, List<PartitionLog>> topics = new LinkedHashMap<>();
    private final List<SendQueue> queues = new ArrayList<>();
    private long downUntil;
    private boolean failNext;
    private boolean grown;

    SimulatedKafka(World world) {
        this.world = world;
    }

    void turn() {
        if (queues.isEmpty()) {
            return;
        }
        int at = world.below(queues.size());
        SendQueue queue = queues.get(at);
        if (queue.isEmpty()) {
            queues.remove(at);
            queue.left();
        } else {
            boolean fail = failNext;
            failNext = false;
            queue.turn(isUp(), fail);
        }
    }

    /** The queue has something to send. */
    void entered(SendQueue queue) {
        queues.add(queue);
    }

    boolean isUp() {
        return world.nanos() >= downUntil;
    }

    void stop(long nanos) {
        downUntil = world.nanos() + nanos;
    }

    void comeBack() {
        downUntil = 0;
        failNext = false;
    }

    /** The next batch that would have been acknowledged is given up instead. */
    void failNextSend() {
        failNext = true;
    }

    void ensure(String topic, int partitions) {
        if (topics.containsKey(topic)) {
            return;
        }
        List<PartitionLog> logs = new ArrayList<>();
        for (int i = 0; i < partitions; i++) {
            logs.add(new PartitionLog(topic, i));
        }
        topics.put(topic, logs);
    }

    /** One partition more for one topic of events; aggregates move. */
    void grow() {
        for (List<PartitionLog> logs : topics.values()) {
            String topic = logs.get(0).name().topic();
            if (logs.size() < 4 && !topic.equals(World.MARKS) && world.oneIn(2)) {
                logs.add(new PartitionLog(topic, logs.size()));
                grown = true;
                return;
            }
        }
    }

    /** Whether aggregates have moved between partitions. */
    boolean hasGrown() {
        return grown;
    }

    Map<String, List<PartitionLog>> topics() {
        return topics;
    }

    @Nullable
    PartitionLog find(String topic, int partition) {
        List<PartitionLog> logs = topics.get(topic);
        return logs == null || partition >= logs.size() ? null : logs.get(partition);
    }

    /** Whether any progress mark has been written: without one, nobody can tell that a slot was moved. */
    boolean hasMark() {
        PartitionLog marks = find(World.MARKS, 0);
        return marks != null && marks.end() > 0;
    }

    /** The highest position in any partition. */
    Position highest() {
        Position highest = Position.START;
        for (List<PartitionLog> logs : topics.values()) {
            for (PartitionLog log : logs) {
                for (ProducerRecord<byte[], byte[]> record : log.records()) {
                    if (!record.topic().equals(ProgressMark.topicOf(World.SOURCE))) {
                        byte[] text = record.headers()
                                .lastHeader(WireHeaders.POSITION)
                                .value();
                        Position position = Position.parse(new String(text, StandardCharsets.US_ASCII));
                        highest = position.isAfter(highest) ? position : highest;
                    }
                }
            }
        }
        return highest;
    }
}
