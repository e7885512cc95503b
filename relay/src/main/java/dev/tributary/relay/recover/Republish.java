package dev.tributary.relay.recover;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.ProgressMark.History;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.routing.EventRouter;
import dev.tributary.relay.sink.Kafka;
import dev.tributary.relay.sink.KafkaSink;
import dev.tributary.relay.sink.Topics;
import dev.tributary.relay.source.SourceDatabase;
import dev.tributary.relay.source.SourceDatabase.Aggregate;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
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
    private final Set<Aggregate> parked;
    private int ordinal;
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong acknowledged = new AtomicLong();
    private final AtomicLong bytesInFlight = new AtomicLong();

    /** @param parked aggregates that are set aside */
    Republish(
            SourceConfig source,
            Kafka kafka,
            Topics topics,
            Map<String, Map<Integer, Long>> endOffsets,
            Set<Aggregate> parked) {
        this.sink = new KafkaSink(kafka, source.name(), endOffsets);
        this.router = new EventRouter(source);
        this.topics = topics;
        this.parked = parked;
    }

    /** Events sent so far. */
    long sent() {
        return sent.get();
    }

    /** Sends it as the next one of those that are given the LSN of its position; or sets it aside, as its aggregate is. */
    void send(OutboxEvent event, SourceDatabase database) throws SQLException {
        OutboxEvent next =
                event.at(new Position(event.position().epoch(), event.position().commitLsn(), ordinal++));
        Aggregate aggregate = new Aggregate(event.aggregateType(), new String(event.aggregateId(), UTF_8));
        if (parked.contains(aggregate) && database.park(next, null)) {
            return;
        }
        ProducerRecord<byte[], byte[]> record = router.route(next);
        topics.ensure(record.topic());
        int size = KafkaSink.sizeOf(record);
        await(IN_FLIGHT_BYTES_MAX);
        bytesInFlight.addAndGet(size);
        sent.incrementAndGet();
        sink.send(record, () -> {
            acknowledged.incrementAndGet();
            bytesInFlight.addAndGet(-size);
        });
    }

    /** Says, once Kafka has everything sent, how far that is; returns when Kafka has that, too. */
    void mark(int epoch, long lsn, @Nullable Instant time, History history) {
        await(1);
        bytesInFlight.incrementAndGet();
        sink.mark(epoch, lsn, time, history, bytesInFlight::decrementAndGet);
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
