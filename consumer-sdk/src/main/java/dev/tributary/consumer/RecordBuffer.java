package dev.tributary.consumer;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * A partition's records between the thread that polls and the one that applies. They are decoded on their way in, and
 * their payloads read, so that this goes on while the database works on the batch before. Bounded in that the polling thread asks {@link #wantsMore}
 * and pauses the partition; only one poll's worth can come on top.
 */
final class RecordBuffer {
    /** What a record weighs besides its key and value: headers, objects. */
    private static final int OVERHEAD_BYTES = 512;

    private final Limits limits;
    private final Handlers handlers;
    private final Runnable onRoom;
    private final EventDecoder decoder = new EventDecoder();
    private final Deque<Incoming> records = new ArrayDeque<>();
    private long bytes;
    private boolean accepting;
    private int refusals;
    private @Nullable Seek seek;
    private boolean woken;

    /**
     * Where to read from.
     *
     * @param refusals before what is read there may be taken
     */
    record Seek(long offset, int refusals) {}

    /**
     * @param handlers read payloads ahead
     * @param onRoom told when there is room again, before the buffer is empty
     */
    RecordBuffer(Limits limits, Handlers handlers, Runnable onRoom) {
        this.limits = limits;
        this.handlers = handlers;
        this.onRoom = onRoom;
    }

    /** Has the polling thread go to an offset before anything is taken again. */
    synchronized void readFrom(long offset) {
        seek = new Seek(offset, refusals);
    }

    /** Where the polling thread is to go, once for each {@link #readFrom}; then {@link #accept}. */
    synchronized @Nullable Seek takeSeek() {
        Seek taken = seek;
        seek = null;
        return taken;
    }

    /** From now on takes records, unless they are to be read from elsewhere by now; for the polling thread, which is there. */
    synchronized void accept(Seek reached) {
        accepting = reached.refusals() == refusals;
    }

    /** Drops everything, and what comes until {@link #accept}: the partition has to be found again. */
    synchronized void refuse() {
        accepting = false;
        refusals++;
        records.clear();
        bytes = 0;
    }

    synchronized boolean wantsMore() {
        return accepting && records.size() < limits.bufferEventsMax() && bytes < limits.bufferBytesMax();
    }

    /** For the polling thread. */
    void offer(List<ConsumerRecord<byte[], byte[]>> polled) {
        if (isAccepting()) {
            add(polled.stream()
                    .map(record -> decoder.decode(record, handlers::readAhead))
                    .toList());
        }
    }

    private synchronized boolean isAccepting() {
        return accepting;
    }

    /** Only the polling thread can have it accept again, so what was refused meanwhile stays refused. */
    private synchronized void add(List<Incoming> decoded) {
        if (accepting) {
            records.addAll(decoded);
            decoded.forEach(each -> bytes += weight(each.record()));
            notifyAll();
        }
    }

    /** Ends a {@link #take} that waits, or the next one. */
    synchronized void wake() {
        woken = true;
        notifyAll();
    }

    /**
     * The next batch, of so many events at most; waits for its first record, but not for longer than {@code max}. Empty
     * then, and if woken.
     */
    List<Incoming> take(int eventsMax, Duration max) throws InterruptedException {
        List<Incoming> batch = new ArrayList<>();
        boolean roomAgain;
        synchronized (this) {
            long deadline = System.nanoTime() + max.toNanos();
            long left = max.toMillis();
            while (records.isEmpty() && !woken && left > 0) {
                wait(left);
                left = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
            }
            woken = false;
            boolean wasOverHalfFull = isOverHalfFull();
            long batchBytes = 0;
            while (!records.isEmpty() && batch.size() < eventsMax) {
                long weight = weight(records.getFirst().record());
                if (!batch.isEmpty() && batchBytes + weight > limits.batchBytesMax()) {
                    break;
                }
                batchBytes += weight;
                batch.add(records.removeFirst());
            }
            bytes -= batchBytes;
            roomAgain = wasOverHalfFull && !isOverHalfFull();
        }
        if (roomAgain) {
            onRoom.run();
        }
        return batch;
    }

    private boolean isOverHalfFull() {
        return records.size() * 2L > limits.bufferEventsMax() || bytes * 2 > limits.bufferBytesMax();
    }

    private static long weight(ConsumerRecord<byte[], byte[]> record) {
        // The value as it is, and what was read from it
        return OVERHEAD_BYTES
                + Math.max(0, record.serializedKeySize())
                + 2L * Math.max(0, record.serializedValueSize());
    }
}
