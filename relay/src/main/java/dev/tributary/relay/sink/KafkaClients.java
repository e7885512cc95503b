package dev.tributary.relay.sink;

import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;

/** Kafka as it is reached with an operator's properties. */
public final class KafkaClients implements Kafka {
    private final KafkaSettings settings;

    /** Takes Kafka client properties; {@code bootstrap.servers} must be among them. */
    public KafkaClients(Map<String, Object> properties) {
        this.settings = new KafkaSettings(properties);
    }

    @Override
    public String address() {
        return settings.bootstrapServers();
    }

    @Override
    public Topics topics(String source) {
        return opened("manage topics", () -> new KafkaTopics(settings, source));
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
    public ExecutorService background(String name) {
        return Executors.newSingleThreadExecutor(task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        });
    }
}
