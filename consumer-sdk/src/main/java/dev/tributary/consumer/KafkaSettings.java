package dev.tributary.consumer;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.utils.Utils;

/**
 * Completes the consumer's settings with what the guarantees need, refuses what would weaken them, and adds defaults
 * that suit a subscription better than Kafka's own.
 */
final class KafkaSettings {
    private KafkaSettings() {}

    /** @throws SubscriptionException naming the first setting that cannot stay */
    static Map<String, Object> complete(String subscription, Map<String, Object> given) {
        Map<String, Object> settings = new HashMap<>(given);
        checkServers(settings.getOrDefault(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, ""));
        force(settings, ConsumerConfig.GROUP_ID_CONFIG, subscription, "the group is named like the subscription");
        force(settings, ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false", "the view's database keeps the position");
        force(settings, ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none", "jumping would lose events without a word");
        force(settings, ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed", "aborted records are no events");
        force(settings, ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false", "topics are their writers' to create");
        String bytes = ByteArrayDeserializer.class.getName();
        force(settings, ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, bytes, "the subscription decodes records itself");
        force(
                settings,
                ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG,
                bytes,
                "the subscription decodes records itself");
        if (!String.valueOf(settings.getOrDefault(ConsumerConfig.INTERCEPTOR_CLASSES_CONFIG, ""))
                .isBlank()) {
            throw new SubscriptionException(
                    "kafka: interceptor.classes must go: an interceptor may change or drop events");
        }
        // Kafka's default of five minutes is how long a topic created after the subscription would go unseen
        settings.putIfAbsent(ConsumerConfig.METADATA_MAX_AGE_CONFIG, 10_000);
        if (!"consumer".equalsIgnoreCase(String.valueOf(settings.get(ConsumerConfig.GROUP_PROTOCOL_CONFIG)))) {
            // Kafka's default of 45 s is how long the partitions of an instance that was killed would stand still
            settings.putIfAbsent(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 10_000);
            // Partitions that stay where they are need not stop during a rebalance
            settings.putIfAbsent(
                    ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG, CooperativeStickyAssignor.class.getName());
        }
        checkValues(settings);
        return Map.copyOf(settings);
    }

    private static void checkServers(Object servers) {
        if (servers.toString().isBlank()) {
            throw new SubscriptionException("kafka: bootstrap.servers is missing");
        }
        Collection<?> each = servers instanceof Collection<?> list
                ? list
                : List.of(servers.toString().split(","));
        for (Object server : each) {
            String address = server.toString().strip();
            if (!address.isEmpty() && (Utils.getHost(address) == null || Utils.getPort(address) == null)) {
                throw new SubscriptionException("kafka: bootstrap.servers: '" + address
                        + "' is no address of a broker; they are host:port, with commas between them");
            }
        }
    }

    /** What no client could be made with, as Kafka's client would find out only when it is made. */
    private static void checkValues(Map<String, Object> settings) {
        try {
            ConsumerConfig.configDef().parse(settings);
        } catch (ConfigException e) {
            throw new SubscriptionException("kafka: " + e.getMessage(), e);
        }
    }

    /** Those of the consumer's settings that an admin client knows too. */
    static Map<String, Object> forAdmin(Map<String, Object> consumer) {
        Map<String, Object> settings = new HashMap<>(consumer);
        settings.keySet().retainAll(AdminClientConfig.configNames());
        settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, 5_000);
        settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, 5_000);
        return settings;
    }

    private static void force(Map<String, Object> settings, String key, String value, String why) {
        Object given = settings.put(key, value);
        if (given == null) {
            return;
        }
        String text = given instanceof Class<?> type ? type.getName() : given.toString();
        if (!text.toLowerCase(Locale.ROOT).equals(value.toLowerCase(Locale.ROOT))) {
            throw new SubscriptionException(
                    "kafka: " + key + "=" + text + " must go, it has to be " + value + ": " + why);
        }
    }
}
