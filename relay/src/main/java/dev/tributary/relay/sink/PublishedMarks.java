package dev.tributary.relay.sink;

import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.relay.flow.RelayException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** A source's last progress marks, as they lie in Kafka. Immutable. */
public final class PublishedMarks {
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);
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
            long end = consumer.endOffsets(List.of(partition), REQUEST_TIMEOUT).getOrDefault(partition, 0L);
            long begin = consumer.beginningOffsets(List.of(partition), REQUEST_TIMEOUT)
                    .getOrDefault(partition, 0L);
            List<byte[]> written = new ArrayList<>();
            ReadToEnds.run(
                    consumer,
                    Map.of(partition, Math.max(begin, end - many)),
                    Map.of(partition, end),
                    nanoTime,
                    record -> written.add(record.value()));
            List<ProgressMark> marks = new ArrayList<>();
            for (byte[] mark : written) {
                marks.add(ProgressMark.fromJson(mark));
            }
            return new PublishedMarks(marks);
        } catch (KafkaException e) {
            throw Kafka.unavailable(kafka.address(), "read the last progress mark", e);
        } catch (IOException e) {
            throw new RelayException.Stopped(
                    "topic " + partition.topic() + " holds something that is no progress mark: " + e.getMessage(),
                    "only the relay may write there; delete the topic if it is of no use",
                    e);
        }
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
