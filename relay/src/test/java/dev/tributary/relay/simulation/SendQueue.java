package dev.tributary.relay.simulation;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * What one producer has for one partition: batches in order, of which the first may be on its way. Idempotence is taken
 * for granted: a batch that is sent again is taken once.
 */
final class SendQueue {
    private static final long DELIVERY_TIMEOUT_NANOS = 4_000_000_000L;

    private static final class Batch {
        final List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        final List<Callback> callbacks = new ArrayList<>();
        final long since;
        boolean sent;
        boolean taken;
        long offset;

        Batch(long since) {
            this.since = since;
        }
    }

    private final SimulatedProducer producer;
    private final World world;
    private final PartitionLog log;
    private final ArrayDeque<Batch> batches = new ArrayDeque<>();
    /** Some partitions are slow, as their broker is: then the others are far ahead. */
    private final int slowness;

    private boolean entered;

    SendQueue(SimulatedProducer producer, PartitionLog log) {
        this.producer = producer;
        this.world = producer.world();
        this.log = log;
        this.slowness = world.oneIn(4) ? 1 + world.below(60) : 1;
    }

    void add(ProducerRecord<byte[], byte[]> record, Callback callback) {
        Batch last = batches.peekLast();
        if (last == null || last.sent || world.oneIn(5)) {
            last = new Batch(world.nanos());
            batches.addLast(last);
        }
        last.records.add(record);
        boolean event = !log.name().topic().equals(World.MARKS);
        if (event && world.bug() == PlantedBug.CONFIRM_ONE_TOO_EARLY && world.oneIn(4)) {
            callback.onCompletion(new RecordMetadata(log.name(), log.end(), 0, 0L, 0, 0), null);
            last.callbacks.add((metadata, exception) -> {});
        } else {
            last.callbacks.add(callback);
        }
        if (!entered) {
            entered = true;
            world.kafka().entered(this);
        }
    }

    boolean isEmpty() {
        return batches.isEmpty();
    }

    void left() {
        entered = false;
    }

    /** Something may become of the first batch. */
    void turn(boolean brokerIsUp, boolean fail) {
        Batch first = batches.getFirst();
        if (producer.isAbandoned()) {
            landLate(first, brokerIsUp);
            return;
        }
        if (!producer.sends()) {
            if (first.sent && brokerIsUp && world.oneIn(10)) {
                take(first); // it was on its way when the process froze
            }
            return;
        }
        if (!brokerIsUp) {
            if (world.nanos() - first.since > DELIVERY_TIMEOUT_NANOS) {
                giveUp(first);
            }
            return;
        }
        first.sent = true;
        if (!world.hasHealed() && !world.oneIn(slowness)) {
            return;
        }
        if (fail) {
            if (world.oneIn(2)) {
                take(first);
            }
            giveUp(first);
        } else if (!world.oneIn(4)) { // otherwise the request is lost, and sent again
            take(first);
            if (!world.oneIn(3)) { // otherwise the answer is
                acknowledge(first);
            }
        }
    }

    private void take(Batch batch) {
        if (!batch.taken) {
            batch.taken = true;
            producer.sent();
            batch.offset = log.end();
            log.records().addAll(batch.records);
        }
    }

    private void acknowledge(Batch batch) {
        batches.removeFirst();
        producer.calling(true);
        for (int i = 0; i < batch.callbacks.size(); i++) {
            batch.callbacks.get(i).onCompletion(new RecordMetadata(log.name(), batch.offset, i, 0L, 0, 0), null);
        }
        producer.calling(false);
    }

    private void giveUp(Batch batch) {
        batches.removeFirst();
        producer.calling(true);
        fail(batch, new TimeoutException("simulated: expired"));
        producer.calling(false);
        producer.abortIfClosed();
    }

    private static void fail(Batch batch, RuntimeException why) {
        batch.callbacks.forEach(callback -> callback.onCompletion(null, why));
    }

    /** The producer is closed: what is on its way may arrive, all else never goes out. */
    void abort() {
        mayLand();
        List<Batch> aborted = new ArrayList<>(batches);
        batches.clear();
        aborted.forEach(batch -> fail(batch, new KafkaException("simulated: producer closed")));
    }

    /** The producer's process is gone. */
    void abandon(boolean lateRequest) {
        if (!lateRequest) {
            mayLand();
            batches.clear();
        }
        while (batches.size() > 1 || (batches.size() == 1 && !batches.getFirst().sent)) {
            batches.removeLast();
        }
    }

    private void mayLand() {
        Batch first = batches.peekFirst();
        if (first != null && first.sent && world.kafka().isUp() && world.oneIn(2)) {
            take(first);
        }
    }

    private void landLate(Batch first, boolean brokerIsUp) {
        if (brokerIsUp && world.oneIn(100)) {
            if (!first.taken) {
                world.repeats();
                take(first);
            }
            batches.removeFirst();
        }
    }
}
