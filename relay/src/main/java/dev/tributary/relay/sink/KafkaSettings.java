package dev.tributary.relay.sink;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The relay's Kafka client properties: the operator's, which the configuration has checked, over defaults, and under what
 * the prefix rule fixes. Immutable.
 *
 * @param operators the operator's properties
 * @param inFlightBytesMax how many bytes of events may be on their way from a producer, or to a consumer, at a time
 */
record KafkaSettings(Map<String, Object> operators, long inFlightBytesMax) {
    /**
     * Defaults an operator may override. With one request in flight, a linger of 0 sends a few events at a time, for about
     * twice the CPU time under load; when the source is drained, what is gathered is sent off without lingering.
     */
    private static final Map<String, Object> PRODUCER_DEFAULTS = Map.of(
            ProducerConfig.COMPRESSION_TYPE_CONFIG,
            "lz4",
            ProducerConfig.LINGER_MS_CONFIG,
            5,
            ProducerConfig.MAX_BLOCK_MS_CONFIG,
            10_000L);

    private static final long BATCH_BYTES_MAX = 128 << 10;
    private static final long BATCH_BYTES_MIN = 16 << 10;
    /** A batch takes its whole memory as soon as it has one record, and there may be one for each partition. */
    private static final int BATCHES_IN_FLIGHT = 16;

    private static final int ADMIN_TIMEOUT_MS = 10_000;
    /** How much later than promised it may answer: its thread may have to wait for a processor. */
    private static final Duration ADMIN_SLACK = Duration.ofSeconds(5);

    /** Nobody waits for a single event of a replay, and a broker that is slow for a minute need not end it. */
    private static final Map<String, Object> TRANSACTIONAL_DEFAULTS =
            Map.of(ProducerConfig.LINGER_MS_CONFIG, 20, ProducerConfig.MAX_BLOCK_MS_CONFIG, 60_000L);

    /**
     * What the prefix rule needs. One request in flight: a broker that has not heard of a producer yet takes its second
     * batch though the first was refused (docs/adr/0001-one-request-in-flight.md).
     */
    private static final Map<String, Object> PRODUCER_FIXED = Map.of(
            ProducerConfig.ACKS_CONFIG,
            "all",
            ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG,
            true,
            ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION,
            1,
            ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG,
            ByteArraySerializer.class.getName(),
            ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG,
            ByteArraySerializer.class.getName());

    public KafkaSettings {
        operators = Map.copyOf(operators);
    }

    /** For errors: where Kafka should be. */
    String bootstrapServers() {
        return String.valueOf(operators.get(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG));
    }

    Map<String, Object> producer(String clientId) {
        Map<String, Object> settings = producerDefaults();
        settings.put(ProducerConfig.CLIENT_ID_CONFIG, clientId);
        settings.putAll(only(ProducerConfig.configNames()));
        settings.putAll(PRODUCER_FIXED);
        return settings;
    }

    /** What a producer is given to get an answer from Kafka, or to say that there was none. */
    Duration answerMax() {
        long request = producerMillis(ProducerConfig.LINGER_MS_CONFIG)
                + producerMillis(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG);
        // Where only the other two are given, the client takes the delivery time-out for at least as much
        return Duration.ofMillis(Math.max(producerMillis(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG), request));
    }

    private long producerMillis(String name) {
        Object byDefault = ProducerConfig.configDef().defaultValues().get(name);
        Object given = producer("").getOrDefault(name, byDefault);
        return Long.parseLong(String.valueOf(given).trim());
    }

    private Map<String, Object> producerDefaults() {
        Map<String, Object> settings = new HashMap<>(PRODUCER_DEFAULTS);
        long batch = Math.max(BATCH_BYTES_MIN, Math.min(inFlightBytesMax / BATCHES_IN_FLIGHT, BATCH_BYTES_MAX));
        settings.put(ProducerConfig.BATCH_SIZE_CONFIG, (int) batch);
        // What a producer has no room for it refuses like a record that is too large
        settings.put(
                ProducerConfig.BUFFER_MEMORY_CONFIG, inFlightBytesMax + Math.max(inFlightBytesMax, recordBytesMax()));
        return settings;
    }

    private long recordBytesMax() {
        Object byDefault = ProducerConfig.configDef().defaultValues().get(ProducerConfig.MAX_REQUEST_SIZE_CONFIG);
        Object given = operators.getOrDefault(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, byDefault);
        return Long.parseLong(String.valueOf(given).trim());
    }

    /**
     * For a producer whose records count only together with what it notes of them: whatever fails ends the transaction, so
     * several requests may be in flight.
     */
    Map<String, Object> transactionalProducer(String clientId, String transactionalId) {
        Map<String, Object> settings = producerDefaults();
        settings.putAll(TRANSACTIONAL_DEFAULTS);
        settings.put(ProducerConfig.CLIENT_ID_CONFIG, clientId);
        settings.putAll(only(ProducerConfig.configNames()));
        settings.putAll(PRODUCER_FIXED);
        settings.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 5);
        settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, transactionalId);
        return settings;
    }

    Map<String, Object> consumer(String clientId) {
        Map<String, Object> settings = new HashMap<>();
        settings.put(ConsumerConfig.CLIENT_ID_CONFIG, clientId);
        settings.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, (int) inFlightBytesMax);
        settings.putAll(only(ConsumerConfig.configNames()));
        settings.putAll(Map.of(
                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
                false,
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                "none",
                ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG,
                false,
                ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG,
                ByteArrayDeserializer.class.getName(),
                ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG,
                ByteArrayDeserializer.class.getName()));
        settings.remove(ConsumerConfig.GROUP_ID_CONFIG);
        settings.remove(ConsumerConfig.INTERCEPTOR_CLASSES_CONFIG);
        return settings;
    }

    Map<String, Object> admin(String clientId) {
        Map<String, Object> settings = new HashMap<>();
        settings.put(AdminClientConfig.CLIENT_ID_CONFIG, clientId);
        settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, ADMIN_TIMEOUT_MS);
        settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, ADMIN_TIMEOUT_MS);
        settings.putAll(only(AdminClientConfig.configNames()));
        return settings;
    }

    /** By when an administrator gets an answer from Kafka, or says that there was none. */
    Duration adminAnswerMax() {
        Object timeout = admin("").get(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG);
        return Duration.ofMillis(Long.parseLong(String.valueOf(timeout).trim())).plus(ADMIN_SLACK);
    }

    private Map<String, Object> only(Set<String> names) {
        Map<String, Object> some = new HashMap<>(operators);
        some.keySet().retainAll(names);
        return some;
    }
}
