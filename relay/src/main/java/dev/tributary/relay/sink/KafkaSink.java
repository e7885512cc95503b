package dev.tributary.relay.sink;

import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.ProgressMark.History;
import dev.tributary.outbox.wire.ProgressMark.Publication;
import dev.tributary.outbox.wire.WireHeaders;
import dev.tributary.relay.flow.Delivery;
import dev.tributary.relay.flow.RelayException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends records in the order given, under the prefix rule: the first failed send closes the producer at once, so that
 * nothing that came after it in a partition goes out without it. (A Kafka producer left alone gives up a batch, starts a
 * new epoch and goes on: that would be a gap.) Used by one thread; acknowledgements and failures come on the producer's.
 */
public final class KafkaSink implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KafkaSink.class);
    /**
     * Roughly what a record's headers and batch entry take beside key and value; for limits on memory, where too much
     * is better than too little.
     */
    private static final int RECORD_OVERHEAD_BYTES = 512;
    /** How much later than promised a producer may answer: its thread may have to wait for a processor. */
    private static final Duration ANSWER_SLACK = Duration.ofSeconds(5);

    private final String source;
    private final Producer<byte[], byte[]> producer;
    /** By topic and partition. */
    private final Map<String, Map<Integer, EndOffset>> endOffsets = new ConcurrentHashMap<>();

    /** Somebody's records lie between this sink's own; may be those of a relay that was replaced, or has replaced this one. */
    private volatile boolean othersWrite;

    private final AtomicBoolean sendingOff = new AtomicBoolean();
    /** A producer's flush waits for all that is on its way, which the stream's thread must not. */
    private final Executor background;

    private final AtomicReference<@Nullable RelayException> failure = new AtomicReference<>();
    private final Duration silenceMax;
    private final LongAdder answers = new LongAdder();
    private long handedOver;
    private long answersBefore = -1;
    private long answeredNanos;

    /**
     * Connects in the background.
     *
     * @param endOffsets where the source's topics end, by topic and partition
     */
    public KafkaSink(Kafka kafka, String source, Map<String, Map<Integer, Long>> endOffsets) {
        this.source = source;
        endOffsets.forEach((topic, partitions) -> partitions.forEach(
                (partition, offset) -> endOf(topic, partition).advance(offset)));
        producer = kafka.producer("tributary-relay-" + source);
        silenceMax = kafka.answerMax().plus(ANSWER_SLACK);
        background = kafka.background();
    }

    /** About the memory that {@code record} takes until it is acknowledged. */
    public static int sizeOf(ProducerRecord<byte[], byte[]> record) {
        return record.key().length + record.value().length + RECORD_OVERHEAD_BYTES;
    }

    /**
     * Sends without waiting for the acknowledgement.
     *
     * @throws RelayException if this or an earlier send has failed; nothing can be sent any more
     */
    public void send(ProducerRecord<byte[], byte[]> record, Delivery delivery) {
        byte[] id = record.headers().lastHeader(WireHeaders.ID).value();
        send(record, new Answer(record.topic(), id, delivery));
    }

    /**
     * Publishes at once that everything up to {@code lsn} and {@code time} is in Kafka, with where it ends.
     *
     * @param unsentFrom of events that commit there or behind it this relay has sent none, and has found none in Kafka; null if
     *     that is not known. The mark says so only if nobody else has written to the topics meanwhile
     * @param publication as it last was when it had kept nothing from the relay; null if that is not known
     */
    public void mark(
            int epoch,
            long lsn,
            @Nullable Instant time,
            @Nullable History history,
            @Nullable Long unsentFrom,
            @Nullable Publication publication,
            Delivery delivery) {
        Map<String, Map<Integer, Long>> offsets = new HashMap<>();
        endOffsets.forEach((topic, partitions) -> {
            Map<Integer, Long> ends = new HashMap<>();
            partitions.forEach((partition, end) -> ends.put(partition, end.get()));
            offsets.put(topic, ends);
        });
        Long unsent = othersWrite ? null : unsentFrom; // looked at behind the offsets, and noted before them
        ProgressMark mark = new ProgressMark(
                source, epoch, lsn, time == null ? 0 : time.toEpochMilli(), offsets, history, unsent, publication);
        byte[] key = source.getBytes(StandardCharsets.UTF_8);
        String topic = ProgressMark.topicOf(source);
        send(new ProducerRecord<>(topic, 0, key, mark.toJson()), new Answer(topic, null, delivery));
        sendOff();
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the answer tells
    private void send(ProducerRecord<byte[], byte[]> record, Answer answer) {
        failIfBroken();
        handedOver++;
        try {
            producer.send(record, answer);
        } catch (KafkaException | IllegalStateException e) {
            fail(answer.topic, answer.id, e);
        }
        failIfBroken();
    }

    private EndOffset endOf(String topic, int partition) {
        return endOffsets
                .computeIfAbsent(topic, name -> new ConcurrentHashMap<>())
                .computeIfAbsent(partition, number -> new EndOffset());
    }

    /** What becomes of a record; comes on the producer's thread. One object, as there is one for each event. */
    private final class Answer implements Callback {
        private final String topic;
        private final byte @Nullable [] id;
        private final Delivery delivery;

        /** @param id the event's, in ASCII; null for a progress mark */
        Answer(String topic, byte @Nullable [] id, Delivery delivery) {
            this.topic = topic;
            this.id = id;
            this.delivery = delivery;
        }

        @Override
        public void onCompletion(RecordMetadata metadata, @Nullable Exception exception) {
            answers.increment();
            if (exception != null) {
                fail(topic, id, exception);
            } else if (id == null || goesOn(metadata)) {
                delivery.acknowledged();
            }
        }

        private boolean goesOn(RecordMetadata metadata) {
            EndOffset end = endOf(topic, metadata.partition());
            long known = end.get();
            if (metadata.offset() < known) {
                fail(wentBack(topic, metadata, known));
                return false;
            }
            if (metadata.offset() > known) {
                othersWrite = true; // not with each event: to write a volatile field costs
            }
            end.advance(metadata.offset() + 1);
            return true;
        }
    }

    /** Written by one thread at a time, read by any. */
    private static final class EndOffset extends AtomicLong {
        void advance(long offset) {
            setRelease(offset);
        }
    }

    /** Has what the producer still gathers sent now, and does not wait for it. */
    public void sendOff() {
        if (sendingOff.compareAndSet(false, true)) {
            background.execute(() -> {
                try {
                    producer.flush();
                } catch (KafkaException e) {
                    LOG.debug("Closed while sending off", e);
                } finally {
                    sendingOff.set(false);
                }
            });
        }
    }

    /**
     * Tells of failures that came meanwhile.
     *
     * @throws RelayException if a send has failed
     */
    public void failIfBroken() {
        RelayException broken = failure.get();
        if (broken != null) {
            throw broken;
        }
    }

    /**
     * Tells also of a producer that says nothing any more. It promises to answer in time, whatever Kafka does, but its thread
     * may have ended: by an error that is no exception, of which nobody hears.
     *
     * @throws RelayException if a send has failed, or none was answered for too long
     */
    public void failIfSilent(long nowNanos) {
        long answered = answers.sum();
        if (answered != answersBefore || answered == handedOver) {
            answersBefore = answered;
            answeredNanos = nowNanos;
        } else if (nowNanos - answeredNanos > silenceMax.toNanos()) {
            fail(new RelayException(
                    "the Kafka client has not said for " + silenceMax.toSeconds() + " s whether events were taken",
                    "none: the relay opens another one; the log may say what ended its thread",
                    null));
        }
        failIfBroken();
    }

    private static RelayException wentBack(String topic, RecordMetadata metadata, long end) {
        return new RelayException.RecordsLost(
                "partition " + metadata.partition() + " of topic " + topic + " went back from offset " + end + " to "
                        + metadata.offset() + ": it was created anew or cut short",
                "what it held is only in the outbox tables and with readers that had read it; if that is meant to be,"
                        + " delete the source's topic of progress marks too and restart the relay");
    }

    private void fail(String topic, byte @Nullable [] id, Exception cause) {
        fail(explained(topic, id, cause));
    }

    private void fail(RelayException explained) {
        // No lock: close waits for the thread whose callbacks come here
        if (failure.compareAndSet(null, explained)) {
            producer.close(Duration.ZERO);
        } else if (explained instanceof RelayException.Stopped) {
            // Of a refused batch the record at fault may be told after its neighbours; the rest are consequences
            failure.updateAndGet(first -> first instanceof RelayException.Stopped ? first : explained);
        }
    }

    private static RelayException explained(String topic, byte @Nullable [] id, Exception cause) {
        String what = (id == null ? "a progress mark" : "event " + new String(id, StandardCharsets.US_ASCII))
                + " for topic " + topic + ": " + cause.getMessage();
        if (neverTaken(cause)) {
            boolean unauthorized = cause instanceof AuthorizationException;
            String reason = "Kafka refuses " + what;
            String remedy = unauthorized
                    ? "allow the relay to write to the topic"
                    : "raise the limit that is named (max.message.bytes or segment.bytes of the topic, max.request.size"
                            + " of the relay), or name the event's id under `skip`; then restart the relay";
            return id == null
                    ? new RelayException.Stopped(reason, remedy, cause)
                    : new RelayException.Refused(
                            UUID.fromString(new String(id, StandardCharsets.US_ASCII)),
                            unauthorized ? topic : null,
                            reason,
                            remedy,
                            cause);
        }
        return new RelayException(
                "Kafka has not taken " + what,
                "none if Kafka comes back: the relay sends again from the confirmed position",
                cause);
    }

    private static boolean neverTaken(Exception cause) {
        return cause instanceof ApiException
                && (cause instanceof RecordTooLargeException
                        || cause instanceof RecordBatchTooLargeException
                        || cause instanceof InvalidTopicException
                        || cause instanceof InvalidRecordException
                        || cause instanceof InvalidTimestampException
                        || cause instanceof AuthorizationException);
    }

    /** Sends nothing more; what is not acknowledged by then counts as not sent. */
    @Override
    public void close() {
        producer.close(Duration.ZERO); // which ends a flush, too
    }
}
