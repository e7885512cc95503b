package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.Garbage;
import dev.tributary.consumer.Limits;
import dev.tributary.consumer.SequenceGap;
import dev.tributary.consumer.StartFrom;
import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.Timeouts;
import dev.tributary.consumer.UnknownType;
import io.micronaut.context.env.Environment;
import io.micronaut.core.naming.NameUtils;
import io.micronaut.core.naming.conventions.StringConvention;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;

/**
 * What an application configures: Kafka's settings under {@code kafka}, for all subscriptions, and everything else under
 * {@code tributary.subscriptions.<name>}, its own {@code kafka} settings included.
 */
final class SubscriptionSettings {
    private static final String KAFKA = "kafka";

    private final Environment environment;
    private final String prefix;

    SubscriptionSettings(Environment environment, String subscription) {
        this.environment = environment;
        this.prefix = "tributary.subscriptions." + NameUtils.hyphenate(subscription) + ".";
    }

    boolean enabled() {
        return setting("enabled", true);
    }

    void applyTo(Subscription.Builder builder) {
        applyDeadLetterTopic(builder);
        builder.kafka(kafka())
                .onUnknownType(setting("on-unknown-type", UnknownType.SKIP_UNRELATED))
                .onGarbage(setting("on-garbage", Garbage.SKIP))
                .startFrom(setting("start-from", StartFrom.EARLIEST))
                .onSequenceGap(setting("on-sequence-gap", SequenceGap.PARK))
                .limits(limits(Limits.ofDefaults()))
                .timeouts(timeouts(Timeouts.ofDefaults()));
    }

    private void applyDeadLetterTopic(Subscription.Builder builder) {
        environment.getProperty(prefix + "dead-letter-topic", String.class).ifPresent(builder::deadLetterTopic);
    }

    private Limits limits(Limits defaults) {
        return new Limits(
                setting("batch-events-max", defaults.batchEventsMax()),
                setting("batch-bytes-max", defaults.batchBytesMax()),
                setting("buffer-events-max", defaults.bufferEventsMax()),
                setting("buffer-bytes-max", defaults.bufferBytesMax()),
                setting("parked-aggregates-max", defaults.parkedAggregatesMax()),
                setting("sequences-known-max", defaults.sequencesKnownMax()));
    }

    private Timeouts timeouts(Timeouts defaults) {
        return new Timeouts(
                duration("idle-in-transaction-timeout", defaults.idleInTransaction()),
                duration("takeover-timeout", defaults.takeover()),
                duration("database-timeout", defaults.database()),
                duration("close-timeout", defaults.close()),
                duration("retry-max", defaults.retryMax()));
    }

    Map<String, Object> kafka() {
        return kafka(environment, prefix);
    }

    /** The application's, and what stands under a prefix. */
    static Map<String, Object> kafka(Environment environment, String prefix) {
        Map<String, Object> settings = new HashMap<>(environment.getProperties(KAFKA, StringConvention.RAW));
        // Other users of Kafka in the application have settings there too
        settings.keySet().retainAll(ConsumerConfig.configNames());
        settings.putAll(environment.getProperties(prefix + KAFKA, StringConvention.RAW));
        return settings;
    }

    private Duration duration(String key, Duration fallback) {
        return Configured.value(environment, prefix + key, Duration.class).orElse(fallback);
    }

    @SuppressWarnings("unchecked")
    private <T> T setting(String key, T fallback) {
        Class<T> type =
                (Class<T>) (fallback instanceof Enum<?> value ? value.getDeclaringClass() : fallback.getClass());
        return Configured.value(environment, prefix + key, type).orElse(fallback);
    }
}
