package dev.tributary.relay.sink;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;

/**
 * Kafka as it is reached with an operator's properties; one for all sources of a process, which share what need not be each
 * one's own. Thread-safe.
 */
public final class KafkaClients implements Kafka {
    /** More than is on its way when Kafka takes as much as it can. */
    private static final long IN_FLIGHT_BYTES_MAX = 32L << 20;
    /** As much as a record may have, by Kafka's defaults. */
    private static final long IN_FLIGHT_BYTES_MIN = 1L << 20;
    /** What is on its way takes several times the memory that its bytes would: batches, headers, buffers. */
    private static final int HEAP_SHARE = 8;

    private static final int IDLE_THREAD_SECONDS = 10;

    private final KafkaSettings settings;
    private final SharedAdmin admin;
    private final Executor background = new ThreadPoolExecutor(
            0, Integer.MAX_VALUE, IDLE_THREAD_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), task -> {
                Thread thread = new Thread(task, "relay-send-off");
                thread.setDaemon(true);
                return thread;
            });

    /** For one source. Takes Kafka client properties; {@code bootstrap.servers} must be among them. */
    public KafkaClients(Map<String, Object> properties) {
        this(properties, IN_FLIGHT_BYTES_MAX);
    }

    private KafkaClients(Map<String, Object> properties, long inFlightBytesMax) {
        this.settings = new KafkaSettings(properties, inFlightBytesMax);
        this.admin = new SharedAdmin(() -> Admin.create(settings.admin("tributary-relay-admin")));
    }

    /** For as many sources, all of which may have as much on its way as there is room for in {@code heapBytes}. */
    public static KafkaClients shared(Map<String, Object> properties, int sources, long heapBytes) {
        long each = heapBytes / HEAP_SHARE / sources;
        return new KafkaClients(properties, Math.max(IN_FLIGHT_BYTES_MIN, Math.min(each, IN_FLIGHT_BYTES_MAX)));
    }

    @Override
    public String address() {
        return settings.bootstrapServers();
    }

    @Override
    public Topics topics(String source) {
        return opened(
                "manage topics", () -> new KafkaTopics(settings.bootstrapServers(), admin, settings.adminAnswerMax()));
    }

    @Override
    public Consumer<byte[], byte[]> consumer(String clientId) {
        return opened("read", () -> new KafkaConsumer<>(settings.consumer(clientId)));
    }

    @Override
    public Producer<byte[], byte[]> producer(String clientId) {
        return opened("send", () -> new KafkaProducer<>(settings.producer(clientId)));
    }

    /** A client that finds none of the names it is given, as while Kafka is being started, is not even made. */
    private <T> T opened(String what, Supplier<T> client) {
        try {
            return client.get();
        } catch (KafkaException e) {
            throw Kafka.unavailable(address(), what, e.getCause() instanceof KafkaException cause ? cause : e);
        }
    }

    @Override
    public long inFlightBytesMax() {
        return settings.inFlightBytesMax();
    }

    @Override
    public Duration answerMax() {
        return settings.answerMax();
    }

    @Override
    public Executor background() {
        return background;
    }
}
