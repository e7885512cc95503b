package dev.tributary.relay.recover;

import dev.tributary.outbox.wire.ProgressMark.History;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.routing.EventRouter;
import dev.tributary.relay.sink.Kafka;
import dev.tributary.relay.sink.KafkaSink;
import dev.tributary.relay.sink.Topics;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/** Sends rows to Kafka, one behind the other, as the relay sends what comes through the stream. Used by one thread. */
final class Republish implements AutoCloseable {
    private static final long IN_FLIGHT_BYTES_MAX = 16L * 1024 * 1024;
    private static final Duration SILENCE_MAX = Duration.ofMinutes(3);
    private static final long LOOK_NANOS = 1_000_000;

    private final KafkaSink sink;
    private final EventRouter router;
    private final Topics topics;
    private final AtomicLong acknowledged = new AtomicLong();
    private final AtomicLong bytesInFlight = new AtomicLong();

    Republish(SourceConfig source, Kafka kafka, Topics topics, Map<String, Map<Integer, Long>> endOffsets) {
        this.sink = new KafkaSink(kafka, source.name(), endOffsets);
        this.router = new EventRouter(source);
        this.topics = topics;
    }

    /**
     * Sends it as it is.
     *
     * @throws RelayException.Refused if Kafka will never take it, or one that was sent before
     */
    void send(OutboxEvent event) {
        ProducerRecord<byte[], byte[]> record = router.route(event);
        topics.ensure(record.topic());
        int size = KafkaSink.sizeOf(record);
        await(IN_FLIGHT_BYTES_MAX);
        bytesInFlight.addAndGet(size);
        sink.send(record, () -> {
            acknowledged.incrementAndGet();
            bytesInFlight.addAndGet(-size);
        });
    }

    /** Says, once Kafka has everything sent, how far that is; returns when Kafka has that, too. */
    void mark(int epoch, long lsn, @Nullable Instant time, History history) {
        await(1);
        bytesInFlight.incrementAndGet();
        sink.mark(epoch, lsn, time, history, null, null, bytesInFlight::decrementAndGet);
        await(1);
    }

    /** Until less than that many bytes are on their way. */
    private void await(long bytes) {
        long seen = -1;
        long since = System.nanoTime();
        while (bytesInFlight.get() >= bytes) {
            sink.failIfBroken();
            if (acknowledged.get() != seen) {
                seen = acknowledged.get();
                since = System.nanoTime();
            } else if (System.nanoTime() - since > SILENCE_MAX.toNanos()) {
                throw new RelayException(
                        "Kafka has acknowledged nothing for " + SILENCE_MAX.toMinutes() + " minutes",
                        "run `recover` again once Kafka is well",
                        null);
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
        sink.failIfBroken();
    }

    @Override
    public void close() {
        sink.close();
    }
}
