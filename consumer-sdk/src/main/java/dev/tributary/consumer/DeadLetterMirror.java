package dev.tributary.consumer;

import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends what is parked in this instance's partitions to a topic too. The database is what counts: each row says whether
 * it has been sent, and is sent again until Kafka has said that it has it, so more than once at times.
 */
final class DeadLetterMirror implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DeadLetterMirror.class);
    private static final Duration LOOK_EVERY = Duration.ofMillis(500);
    private static final Duration SEND_MAX = Duration.ofSeconds(10);
    /** A client answers within {@link #SEND_MAX}, unless its thread has ended. */
    private static final Duration ANSWER_MAX = SEND_MAX.plusSeconds(2);

    private static final int AT_A_TIME_MAX = 100;

    private final SubscriptionConfig config;
    private final String topic;
    private final Supplier<List<TopicPartition>> own;
    private final ParkedStore store;
    private final Transactions transactions;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread;
    private @Nullable KafkaProducer<byte[], byte[]> producer;
    private String problem = "";

    /** @param own the partitions that this instance has now */
    DeadLetterMirror(SubscriptionConfig config, String topic, Supplier<List<TopicPartition>> own) {
        this.config = config;
        this.topic = topic;
        this.own = own;
        this.store = new ParkedStore(config.name());
        this.transactions = new Transactions(config);
        this.thread = new Thread(this::run, "tributary-" + config.name() + "-dead-letters");
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    private void run() {
        try {
            while (!closing.await(LOOK_EVERY.toMillis(), TimeUnit.MILLISECONDS)) {
                mirrorAll();
            }
        } catch (InterruptedException e) {
            LOG.debug("{}: mirroring interrupted", config.name());
        } finally {
            closeProducer();
        }
    }

    /** Also after a failure: some never leave a producer, such as a right that it lacked once, or an error that ended its thread. */
    private void closeProducer() {
        if (producer != null) {
            producer.close(Duration.ZERO);
            producer = null;
        }
    }

    private void mirrorAll() throws InterruptedException {
        try {
            while (closing.getCount() > 0 && mirrorSome() == AT_A_TIME_MAX) {
                LOG.debug("{}: more to mirror", config.name());
            }
            changed("");
        } catch (SQLException e) {
            changed(Failures.describe(e));
        } catch (KafkaException e) {
            closeProducer();
            changed(Failures.describe(e));
        } catch (RuntimeException | Error e) { // a thread that ended here would leave a mirror that looks alive
            closeProducer();
            LOG.error("{}: mirroring failed", config.name(), e);
        }
    }

    private void changed(String now) {
        if (!now.equals(problem)) {
            if (now.isEmpty()) {
                LOG.info("{}: {} has all that is parked", config.name(), topic);
            } else {
                LOG.warn("{}: {} cannot be sent what is parked, trying again: {}", config.name(), topic, now);
            }
            problem = now;
        }
    }

    private int mirrorSome() throws SQLException, InterruptedException {
        List<TopicPartition> partitions = own.get();
        if (partitions.isEmpty()) {
            return 0;
        }
        List<ParkedEvent> events =
                transactions.run(connection -> store.unmirrored(connection, partitions, AT_A_TIME_MAX));
        List<Long> arrived = new ArrayList<>();
        List<Long> refused = new ArrayList<>();
        try {
            // One by one: what was sent behind one that failed would overtake it
            for (ParkedEvent event : events) {
                (send(event) ? arrived : refused).add(event.number());
            }
        } finally {
            note(arrived, refused);
        }
        return events.size();
    }

    private void note(List<Long> arrived, List<Long> refused) throws SQLException {
        if (arrived.isEmpty() && refused.isEmpty()) {
            return;
        }
        transactions.runReadCommitted(connection -> {
            store.mirrored(connection, arrived, "now()");
            store.mirrored(connection, refused, "'-infinity'");
            connection.commit();
            return arrived;
        });
    }

    /** False if the topic will never take it. */
    private boolean send(ParkedEvent event) throws InterruptedException {
        try {
            var unused = producer()
                    .send(DeadLetter.of(event, config.name(), topic))
                    .get(ANSWER_MAX.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RecordTooLargeException || e.getCause() instanceof InvalidRecordException) {
                LOG.error("{}: {} will never take parked event {}", config.name(), topic, event.id(), e);
                return false;
            }
            throw new KafkaException(e.getCause());
        } catch (TimeoutException e) {
            throw new KafkaException("the Kafka client says nothing any more", e);
        }
    }

    private KafkaProducer<byte[], byte[]> producer() {
        if (producer == null) {
            Map<String, Object> settings = new HashMap<>(config.kafka());
            settings.keySet().retainAll(ProducerConfig.configNames());
            settings.keySet().remove(ProducerConfig.CLIENT_ID_CONFIG);
            settings.put(ProducerConfig.ACKS_CONFIG, "all");
            settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, (int) SEND_MAX.toMillis());
            settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) SEND_MAX.toMillis() / 2);
            settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
            settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) SEND_MAX.toMillis());
            producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
        }
        return producer;
    }

    /** What has not been sent yet is sent by whoever has the partition next. */
    @Override
    public void close() {
        closing.countDown();
        thread.interrupt();
    }
}
