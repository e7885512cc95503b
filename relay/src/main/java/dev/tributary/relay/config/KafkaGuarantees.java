package dev.tributary.relay.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.jspecify.annotations.Nullable;

/**
 * Refuses Kafka client properties that would weaken what the relay promises: no lost event, and in each partition a
 * gap-free prefix in order. The client itself would take them, and silently turn idempotence off.
 */
final class KafkaGuarantees {
    private static final int IN_FLIGHT_MAX = 1;
    private static final Set<String> ALL = Set.of("all", "-1");
    private static final Map<String, String> NOT_YOURS = Map.of(
            ProducerConfig.TRANSACTIONAL_ID_CONFIG,
            "the relay needs no Kafka transactions, and consumers would wait for their ends; remove it",
            ProducerConfig.PARTITIONER_CLASS_CONFIG,
            "events of one aggregate must keep to one partition, as Kafka's own partitioner has it; remove it",
            ProducerConfig.INTERCEPTOR_CLASSES_CONFIG,
            "an interceptor could alter or swallow events; remove it",
            ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG,
            "keys are the aggregate's id as it is; remove it",
            ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG,
            "payloads go to Kafka untouched; remove it");

    private KafkaGuarantees() {}

    static List<Mistake> mistakes(Map<String, ?> kafka) {
        List<Mistake> mistakes = new ArrayList<>();
        if (text(kafka, ProducerConfig.BOOTSTRAP_SERVERS_CONFIG).isEmpty()) {
            add(mistakes, ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, "is missing; name a broker as host:port");
        }
        String acks = text(kafka, ProducerConfig.ACKS_CONFIG);
        if (!acks.isEmpty() && !ALL.contains(acks)) {
            add(mistakes, ProducerConfig.ACKS_CONFIG, "must be all, not " + acks + "; less may lose events; remove it");
        }
        if (text(kafka, ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG).equals("false")) {
            add(
                    mistakes,
                    ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG,
                    "must be true; retries would reorder and double events otherwise; remove it");
        }
        if (text(kafka, ProducerConfig.PARTITIONER_IGNORE_KEYS_CONFIG).equals("true")) {
            add(
                    mistakes,
                    ProducerConfig.PARTITIONER_IGNORE_KEYS_CONFIG,
                    "must be false; events of one aggregate must keep to one partition; remove it");
        }
        bound(
                mistakes,
                kafka,
                ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION,
                1,
                IN_FLIGHT_MAX,
                "with more, a broker may take a batch though the one before it was refused; remove it");
        bound(
                mistakes,
                kafka,
                ProducerConfig.RETRIES_CONFIG,
                1,
                Integer.MAX_VALUE,
                "without retries every hiccup closes the producer");
        NOT_YOURS.forEach((key, why) -> {
            if (!text(kafka, key).isEmpty()) {
                add(mistakes, key, "must not be set: " + why);
            }
        });
        return mistakes;
    }

    private static void bound(
            List<Mistake> mistakes, Map<String, ?> kafka, String key, int least, int most, String why) {
        String value = text(kafka, key);
        if (value.isEmpty()) {
            return;
        }
        Integer number = number(value);
        if (number == null || number < least || number > most) {
            add(
                    mistakes,
                    key,
                    "must be " + (least == most ? least : "a number of at least " + least) + ", not " + value + "; "
                            + why);
        }
    }

    private static @Nullable Integer number(String value) {
        try {
            return Integer.valueOf(value);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static String text(Map<String, ?> kafka, String key) {
        Object value = kafka.get(key);
        return value == null ? "" : value.toString().trim().toLowerCase(Locale.ROOT);
    }

    private static void add(List<Mistake> mistakes, String key, String problem) {
        mistakes.add(new Mistake("relay.kafka." + key, problem));
    }
}
