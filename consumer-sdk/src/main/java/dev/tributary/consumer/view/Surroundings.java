package dev.tributary.consumer.view;

import dev.tributary.consumer.Limits;
import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.Timeouts;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import javax.sql.DataSource;

/**
 * What a view's versions have in common. Immutable.
 *
 * @param kafka the consumer's settings, as for a subscription
 * @param dataSource the view's database
 * @param topics what all versions read; one may have more of its own
 * @param settings what else all subscriptions get, such as an object mapper
 */
public record Surroundings(
        Map<String, Object> kafka,
        DataSource dataSource,
        Set<String> topics,
        Limits limits,
        Timeouts timeouts,
        Consumer<Subscription.Builder> settings) {
    public Surroundings {
        kafka = Map.copyOf(kafka);
        topics = Set.copyOf(topics);
    }

    /** With the defaults. */
    public static Surroundings of(Map<String, ?> kafka, DataSource dataSource, String... topics) {
        return new Surroundings(
                Map.copyOf(kafka), dataSource, Set.of(topics), Limits.ofDefaults(), Timeouts.ofDefaults(), s -> {});
    }

    /** A subscription as these have it. */
    Subscription.Builder subscription(String name) {
        Subscription.Builder builder = Subscription.builder(name)
                .kafka(kafka)
                .dataSource(dataSource)
                .topics(topics.toArray(String[]::new))
                .limits(limits)
                .timeouts(timeouts);
        settings.accept(builder);
        return builder;
    }

    /** One for a version, which may add to them, but leads into the same database. */
    Subscription.Builder subscription(String name, ViewVersion version) {
        Subscription.Builder builder = subscription(name);
        version.handlers().accept(builder);
        return builder.dataSource(dataSource);
    }
}
