package dev.tributary.relay.simulation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/** A producer with one request in flight for each partition. Its callbacks come in anybody's turn. */
@SuppressWarnings({"MissingSuperCall", "UnsynchronizedOverridesSynchronized"
}) // nothing of the mock's own is used; it spares the methods that nobody calls
final class SimulatedProducer extends MockProducer<byte[], byte[]> {
    private static final CompletableFuture<RecordMetadata> UNUSED = new CompletableFuture<>();
    private static final long MAX_BLOCK_NANOS = 10_000_000_000L;

    private final SimulatedRelay owner;
    private final World world;
    private final Map<TopicPartition, SendQueue> queues = new HashMap<>();
    private final Map<String, Integer> partitions = new HashMap<>();
    private boolean closed;
    private boolean inCallback;
    private boolean abandoned;
    private boolean wasFrozen;

    SimulatedProducer(SimulatedRelay owner) {
        this.owner = owner;
        this.world = owner.world();
    }

    World world() {
        return world;
    }

    @Override
    public Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record, @Nullable Callback callback) {
        owner.turn();
        if (callback == null || closed) {
            throw new IllegalStateException("simulated: closed");
        }
        PartitionLog log = partitionOf(record);
        if (log == null) {
            world.passes(MAX_BLOCK_NANOS);
            callback.onCompletion(null, new TimeoutException("simulated: no metadata"));
        } else {
            queues.computeIfAbsent(log.name(), name -> new SendQueue(this, log)).add(record, callback);
        }
        return UNUSED;
    }

    @Override
    public void flush() {
        // What is there is sent anyway, some time
    }

    private @Nullable PartitionLog partitionOf(ProducerRecord<byte[], byte[]> record) {
        String topic = record.topic();
        Integer known = partitions.get(topic);
        if (known == null || world.oneIn(20)) { // how many there are is asked from time to time
            List<PartitionLog> logs = world.kafka().topics().get(topic);
            if (logs == null || (known == null && !world.kafka().isUp())) {
                return null;
            }
            known = logs.size();
            partitions.put(topic, known);
        }
        Integer chosen = record.partition();
        return world.kafka()
                .find(topic, chosen != null ? chosen : Utils.toPositive(Utils.murmur2(record.key())) % known);
    }

    /** Whether its thread runs. */
    boolean sends() {
        return !owner.isStopped();
    }

    boolean isAbandoned() {
        return abandoned;
    }

    /** In a callback the thread that would wait is the one that is waited for. */
    @Override
    public void close(Duration timeout) {
        if (inCallback && world.bug() == PlantedBug.FORGET_THE_PREFIX_RULE) {
            return;
        }
        if (!owner.isDead()) {
            closed = true;
            if (!inCallback) {
                abortIfClosed();
            }
        }
    }

    void abortIfClosed() {
        if (closed) {
            inCallback = true;
            new ArrayList<>(queues.values()).forEach(SendQueue::abort);
            inCallback = false;
        }
    }

    void calling(boolean callback) {
        inCallback = callback;
    }

    /** Another relay may have sent meanwhile what this one still has. */
    void freeze() {
        wasFrozen = true;
    }

    void sent() {
        if (wasFrozen) {
            world.repeats();
        }
    }

    /** Its process is gone. */
    void abandon(boolean lateRequest) {
        abandoned = true;
        if (!closed) {
            queues.values().forEach(queue -> queue.abandon(lateRequest));
        }
    }
}
