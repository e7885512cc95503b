package dev.tributary.relay.sink;

import dev.tributary.outbox.wire.Replay;
import dev.tributary.outbox.wire.WireHeaders;
import dev.tributary.relay.flow.RelayException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/**
 * A topic that a history is replayed to. Events and what is noted of them are written in the same Kafka transactions, so that
 * what is noted is always just what is there, whenever the process is killed; and a process that was taken for dead, and
 * comes back, can write nothing more. Used by one thread.
 */
public final class ReplayTopic implements AutoCloseable {
    private static final Duration ANSWER_MAX = Duration.ofSeconds(30);
    private static final Duration CLOSE_MAX = Duration.ofSeconds(5);
    /** As those of live topics that the relay creates. */
    private static final int PARTITIONS = 6;

    private static final long IN_FLIGHT_BYTES_MAX = 32L << 20;
    /** How much later than promised a producer may answer: its thread may have to wait for a processor. */
    private static final Duration ANSWER_SLACK = Duration.ofSeconds(5);

    private static final Duration FLUSH_LOOK = Duration.ofMillis(200);

    private final KafkaSettings settings;
    private final String topic;
    private final LongSupplier nanoTime;
    private final Admin admin;
    private final Map<Integer, Long> ends = new ConcurrentHashMap<>();
    private final AtomicReference<@Nullable RelayException> failure = new AtomicReference<>();
    private final LongAdder answers = new LongAdder();
    private @Nullable Producer<byte[], byte[]> producer;
    private boolean inTransaction;

    /**
     * Connects in the background.
     *
     * @param kafka Kafka client properties
     */
    public ReplayTopic(Map<String, Object> kafka, String topic) {
        this(kafka, topic, System::nanoTime);
    }

    ReplayTopic(Map<String, Object> kafka, String topic, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.settings = new KafkaSettings(kafka, IN_FLIGHT_BYTES_MAX);
        this.topic = topic;
        try {
            this.admin = Admin.create(settings.admin("tributary-relay-replay-admin"));
        } catch (KafkaException e) { // none of the names is known
            throw unavailable("be found", e.getCause() == null ? e : e.getCause());
        }
    }

    /**
     * What is noted of it; null if nothing is. Kafka shows a moment late what it has committed; after {@link #takeOver} it is what
     * holds.
     */
    public @Nullable Replay noted() {
        TopicPartition partition = new TopicPartition(Replay.TOPIC, 0);
        if (describe(Replay.TOPIC).isEmpty()) {
            return null;
        }
        Map<String, Object> properties = settings.consumer("tributary-relay-replay");
        properties.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        try (Consumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties)) {
            byte[] key = topic.getBytes(StandardCharsets.UTF_8);
            List<TopicPartition> all = List.of(partition);
            AtomicReference<byte @Nullable []> noted = new AtomicReference<>();
            ReadToEnds.run(
                    consumer,
                    consumer.beginningOffsets(all, ANSWER_MAX),
                    consumer.endOffsets(all, ANSWER_MAX),
                    nanoTime,
                    record -> {
                        if (java.util.Arrays.equals(key, record.key())) {
                            noted.set(record.value());
                        }
                    });
            byte[] last = noted.get();
            return last == null ? null : Replay.fromJson(last);
        } catch (KafkaException e) {
            throw unavailable("read " + Replay.TOPIC, e);
        } catch (IOException e) {
            throw new RelayException.Stopped(
                    "topic " + Replay.TOPIC + " holds something that describes no replay: " + e.getMessage(),
                    "only `relay replay` may write there",
                    e);
        }
    }

    /** Kafka's id of the topic; null if there is no such topic. */
    public @Nullable String id() {
        return describe(topic).map(found -> found.topicId().toString()).orElse(null);
    }

    /** Whether nothing was ever written to it. */
    public boolean isUntouched() {
        return live(List.of(topic)).values().stream()
                .allMatch(found -> found.offsets().values().stream().allMatch(end -> end == 0));
    }

    /** Creates it, unless it is there, never to lose a record; returns its id. */
    public String create() {
        String there = id();
        if (there != null) {
            return there;
        }
        NewTopic created = new NewTopic(topic, Optional.of(PARTITIONS), Optional.empty())
                .configs(Map.of(
                        TopicConfig.CLEANUP_POLICY_CONFIG,
                        TopicConfig.CLEANUP_POLICY_DELETE,
                        TopicConfig.RETENTION_MS_CONFIG,
                        "-1",
                        TopicConfig.RETENTION_BYTES_CONFIG,
                        "-1"));
        return answer(
                        "create topic " + topic,
                        admin.createTopics(List.of(created)).topicId(topic))
                .toString();
    }

    /** Those of the topics that exist, with where they end. */
    public Map<String, Replay.Live> live(Collection<String> topics) {
        Map<String, Replay.Live> live = new TreeMap<>();
        for (String name : topics) {
            describe(name).ifPresent(found -> {
                Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
                found.partitions()
                        .forEach(info -> asked.put(new TopicPartition(name, info.partition()), OffsetSpec.latest()));
                Map<Integer, Long> offsets = new TreeMap<>();
                answer("read where " + name + " ends", admin.listOffsets(asked).all())
                        .forEach((partition, end) -> offsets.put(partition.partition(), end.offset()));
                live.put(name, new Replay.Live(found.topicId().toString(), offsets));
            });
        }
        return live;
    }

    private Optional<TopicDescription> describe(String name) {
        try {
            return Optional.ofNullable(answer(
                            "describe topic " + name,
                            admin.describeTopics(List.of(name)).allTopicNames())
                    .get(name));
        } catch (RelayException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** Takes the topic over: whoever wrote to it before can no more, and what he had not finished is dropped. */
    public void takeOver() {
        if (producer != null) {
            return;
        }
        try {
            Producer<byte[], byte[]> opened = new KafkaProducer<>(
                    settings.transactionalProducer("tributary-relay-replay", "tributary-replay-" + topic));
            producer = opened;
            opened.initTransactions();
        } catch (KafkaException e) {
            throw explained("begin a transaction", e);
        }
    }

    /** Goes on from where an earlier process had come to. */
    public void reached(Map<Integer, Long> committed) {
        ends.putAll(committed);
    }

    /**
     * Sends without waiting.
     *
     * @throws RelayException if this or an earlier send has failed; nothing since the last {@link #note} counts then
     */
    @SuppressWarnings("FutureReturnValueIgnored") // the callback tells
    public void send(ProducerRecord<byte[], byte[]> record) {
        failIfBroken();
        try {
            transaction().send(record, (metadata, exception) -> {
                answers.increment();
                if (exception == null) {
                    ends.merge(metadata.partition(), metadata.offset() + 1, Math::max);
                } else {
                    failure.compareAndSet(null, explained(record, exception));
                }
            });
        } catch (KafkaException e) {
            throw explained(record, e);
        }
    }

    /** Makes an account of what has been sent. */
    public interface Account {
        /** Makes it of what is there: by partition, the offset behind the last event. */
        Replay of(Map<Integer, Long> ends);
    }

    /** Has what was sent count, together with the account of it. Waits until Kafka has both. */
    @SuppressWarnings("FutureReturnValueIgnored") // the commit tells
    public void note(Account account) {
        try {
            flush();
            failIfBroken();
            transaction()
                    .send(new ProducerRecord<>(
                            Replay.TOPIC,
                            0,
                            topic.getBytes(StandardCharsets.UTF_8),
                            account.of(Map.copyOf(ends)).toJson()));
            transaction().commitTransaction();
            inTransaction = false;
        } catch (KafkaException e) {
            throw explained("commit", e);
        }
    }

    /**
     * Waits for the answers to all that was sent. The client's own flush would wait for ever once its thread has ended: by an
     * error that is no exception, of which nobody hears.
     */
    private void flush() {
        CompletableFuture<Void> flushed = CompletableFuture.runAsync(transaction()::flush, ReplayTopic::inBackground);
        long silenceMaxNanos = settings.answerMax().plus(ANSWER_SLACK).toNanos();
        long answered = answers.sum();
        long answeredNanos = System.nanoTime();
        while (!isDone(flushed)) {
            if (answers.sum() != answered) {
                answered = answers.sum();
                answeredNanos = System.nanoTime();
            } else if (System.nanoTime() - answeredNanos > silenceMaxNanos) {
                throw new RelayException(
                        "the Kafka client has not said for " + TimeUnit.NANOSECONDS.toSeconds(silenceMaxNanos)
                                + " s whether events were taken; the log may say what ended its thread",
                        "run it again with --resume",
                        null);
            }
        }
    }

    private static void inBackground(Runnable task) {
        Thread thread = new Thread(task, "relay-replay-flush");
        thread.setDaemon(true);
        thread.start();
    }

    private boolean isDone(CompletableFuture<Void> flushed) {
        try {
            flushed.get(FLUSH_LOOK.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw explained("commit", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw explained("commit", e);
        }
    }

    private Producer<byte[], byte[]> transaction() {
        Producer<byte[], byte[]> opened = producer;
        if (opened == null) {
            throw new IllegalStateException("not taken over");
        }
        if (!inTransaction) {
            opened.beginTransaction();
            inTransaction = true;
        }
        return opened;
    }

    private void failIfBroken() {
        RelayException broken = failure.get();
        if (broken != null) {
            throw broken;
        }
    }

    private RelayException explained(ProducerRecord<byte[], byte[]> record, Exception cause) {
        String id = new String(record.headers().lastHeader(WireHeaders.ID).value(), StandardCharsets.US_ASCII);
        return cause instanceof RecordTooLargeException
                ? new RelayException.Stopped(
                        "Kafka refuses event " + id + " for topic " + topic + ": " + cause.getMessage(),
                        "raise max.message.bytes of the topic to that of the live one, and run it again with --resume",
                        cause)
                : explained("take event " + id, cause);
    }

    private RelayException explained(String what, Exception cause) {
        if (cause instanceof ProducerFencedException || cause instanceof InvalidProducerEpochException) {
            return new RelayException.Stopped(
                    "another `replay` to topic " + topic + " has taken over, or Kafka has given this one up",
                    "see whether another one is running; if none is, run it again with --resume",
                    cause);
        }
        return new RelayException(
                "Kafka at " + settings.bootstrapServers() + " did not " + what + " for topic " + topic + ": "
                        + cause.getMessage(),
                "run it again with --resume once Kafka is well",
                cause);
    }

    private <T> T answer(String what, KafkaFuture<T> future) {
        try {
            return future.get(ANSWER_MAX.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw unavailable(what, e.getCause() == null ? e : e.getCause());
        } catch (TimeoutException e) {
            throw unavailable(what, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unavailable(what, e);
        }
    }

    private RelayException unavailable(String what, Throwable cause) {
        return new RelayException(
                "Kafka at " + settings.bootstrapServers() + " could not " + what + ": " + cause.getMessage(),
                "start Kafka or correct relay.kafka, and run it again",
                cause);
    }

    /** What was not noted does not count. */
    @Override
    public void close() {
        if (producer != null) {
            producer.close(inTransaction ? Duration.ZERO : CLOSE_MAX); // who resumes ends what is open
        }
        admin.close(Duration.ZERO);
    }
}
