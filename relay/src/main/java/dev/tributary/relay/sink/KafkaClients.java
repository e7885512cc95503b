package dev.tributary.relay.sink;

import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;

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
        return new KafkaTopics(settings, source);
    }

    @Override
    public Consumer<byte[], byte[]> consumer(String clientId) {
        return new KafkaConsumer<>(settings.consumer(clientId));
    }

    @Override
    public Producer<byte[], byte[]> producer(String clientId) {
        return new KafkaProducer<>(settings.producer(clientId));
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
