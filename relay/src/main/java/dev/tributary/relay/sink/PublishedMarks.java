package dev.tributary.relay.sink;

import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.relay.flow.RelayException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** A source's last progress marks, as they lie in Kafka. Immutable. */
public final class PublishedMarks {
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration SILENCE_MAX = Duration.ofSeconds(30);
    /** A relay that was frozen may have written an old one after a newer one. */
    private static final int FEW = 100;
    /** More than are written between two of a server's checkpoints, as a rule. */
    private static final int MANY = 10_000;

    private final List<ProgressMark> marks;

    private PublishedMarks(List<ProgressMark> marks) {
        this.marks = marks;
    }

    /**
     * Enough of them to know the highest.
     *
     * @throws RelayException if Kafka does not answer
     */
    public static PublishedMarks read(Kafka kafka, String source, LongSupplier nanoTime) {
        return read(kafka, source, FEW, nanoTime);
    }

    /** Those of some minutes at least, if Kafka still has them. */
    public static PublishedMarks readMany(Kafka kafka, String source, LongSupplier nanoTime) {
        return read(kafka, source, MANY, nanoTime);
    }

    private static PublishedMarks read(Kafka kafka, String source, int many, LongSupplier nanoTime) {
        TopicPartition partition = new TopicPartition(ProgressMark.topicOf(source), 0);
        String clientId = "tributary-relay-" + source + "-marks";
        try (Consumer<byte[], byte[]> consumer = kafka.consumer(clientId)) {
            consumer.assign(List.of(partition));
            long end = consumer.endOffsets(List.of(partition), REQUEST_TIMEOUT).getOrDefault(partition, 0L);
            long begin = consumer.beginningOffsets(List.of(partition), REQUEST_TIMEOUT)
                    .getOrDefault(partition, 0L);
            if (end <= begin) {
                return new PublishedMarks(List.of());
            }
            consumer.seek(partition, Math.max(begin, end - many));
            return new PublishedMarks(readTo(consumer, partition, end, nanoTime));
        } catch (KafkaException e) {
            throw Kafka.unavailable(kafka.address(), "read the last progress mark", e);
        } catch (IOException e) {
            throw new RelayException.Stopped(
                    "topic " + partition.topic() + " holds something that is no progress mark: " + e.getMessage(),
                    "only the relay may write there; delete the topic if it is of no use",
                    e);
        }
    }

    private static List<ProgressMark> readTo(
            Consumer<byte[], byte[]> consumer, TopicPartition partition, long end, LongSupplier nanoTime)
            throws IOException {
        List<ProgressMark> marks = new ArrayList<>();
        long lastHeard = nanoTime.getAsLong();
        while (consumer.position(partition, REQUEST_TIMEOUT) < end) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                marks.add(ProgressMark.fromJson(record.value()));
                lastHeard = nanoTime.getAsLong();
            }
            if (nanoTime.getAsLong() - lastHeard > SILENCE_MAX.toNanos()) {
                throw new org.apache.kafka.common.errors.TimeoutException("no answer for " + SILENCE_MAX);
            }
        }
        return marks;
    }

    /**
     * The one that says most, of several the one that was written first: what is written at the same LSN later may come from a
     * relay that was replaced meanwhile, and knows less. Null if there is none.
     */
    public @Nullable ProgressMark highest() {
        return marks.stream().reduce(PublishedMarks::higher).orElse(null);
    }

    /** While nothing is published all marks are at one LSN; but when the publication was last in order they still tell. */
    private static ProgressMark higher(ProgressMark first, ProgressMark then) {
        if (then.isAfter(first)) {
            return then;
        }
        return first.isAfter(then) ? first : first.withLaterPublication(then.publication());
    }

    /** The last one that was written when no event of {@code epoch} was in Kafka that commits at {@code lsn} or behind it. */
    public @Nullable ProgressMark beforeAnyFrom(int epoch, long lsn) {
        return marks.stream()
                .filter(mark -> mark.epoch() == epoch && mark.isBeforeAnyFrom(lsn))
                .reduce((earlier, later) -> later)
                .orElse(null);
    }
}
