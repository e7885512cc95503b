package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.ParkedCounts;
import dev.tributary.consumer.PartitionStatus;
import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionStatus;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micronaut.context.annotation.Requires;
import io.micronaut.context.event.ApplicationEventListener;
import io.micronaut.context.event.StartupEvent;
import io.micronaut.core.annotation.Order;
import io.micronaut.core.order.Ordered;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/** Draws meters from the subscriptions' statuses, where the application has Micrometer. */
@Singleton
@Requires(classes = MeterRegistry.class, beans = MeterRegistry.class)
@Order(Ordered.LOWEST_PRECEDENCE) // after the subscriptions have been started
final class SubscriptionsMetrics implements ApplicationEventListener<StartupEvent> {
    private final Subscriptions subscriptions;
    private final Views views;
    private final ParkedWatch parked;
    private final MeterRegistry registry;

    SubscriptionsMetrics(Subscriptions subscriptions, Views views, ParkedWatch parked, MeterRegistry registry) {
        this.subscriptions = subscriptions;
        this.views = views;
        this.parked = parked;
        this.registry = registry;
    }

    @Override
    public void onApplicationEvent(StartupEvent event) {
        subscriptions.all().forEach(this::bind);
        views.all().forEach(view -> view.knownVersions().forEach(version -> bindParked(view.subscription(version))));
    }

    private void bind(Subscription subscription) {
        count(subscription, "applied", SubscriptionStatus.Counters::applied);
        count(subscription, "duplicates", SubscriptionStatus.Counters::duplicates);
        count(subscription, "skipped", SubscriptionStatus.Counters::skipped);
        count(subscription, "garbage", SubscriptionStatus.Counters::garbage);
        count(subscription, "parked", SubscriptionStatus.Counters::parked);
        count(subscription, "redriven", SubscriptionStatus.Counters::redriven);
        count(subscription, "discarded", SubscriptionStatus.Counters::discarded);
        count(subscription, "batches", SubscriptionStatus.Counters::batches);
        count(subscription, "retries", SubscriptionStatus.Counters::retries);
        count(subscription, "fenced", SubscriptionStatus.Counters::fenced);
        bindParked(subscription.name());
        Gauge.builder("tributary.subscription.lag", subscription, SubscriptionsMetrics::lag)
                .description("records in Kafka that are not in the view yet, on this instance's partitions")
                .tag("subscription", subscription.name())
                .register(registry);
        Gauge.builder("tributary.subscription.stopped", subscription, SubscriptionsMetrics::stopped)
                .description("partitions that have stopped for a reason that people have to mend")
                .tag("subscription", subscription.name())
                .register(registry);
    }

    /** Of all instances, so each of them shows the same. */
    private void bindParked(String subscription) {
        parked(subscription, "aggregates", "aggregates whose events are set aside", ParkedCounts::aggregates);
        parked(subscription, "events", "events that are set aside", ParkedCounts::events);
        parked(
                subscription,
                "oldest.seconds",
                "how long the aggregate that was parked first has been",
                count -> count.since() == null
                        ? 0
                        : Duration.between(count.since(), Instant.now()).toMillis() / 1e3);
    }

    private void parked(String subscription, String what, String description, ToDoubleFunction<ParkedCounts> value) {
        Gauge.builder("tributary.subscription.parked." + what, parked, watch -> {
                    ParkedCounts count = watch.of(subscription);
                    return count == null ? Double.NaN : value.applyAsDouble(count);
                })
                .description(description)
                .tag("subscription", subscription)
                .register(registry);
    }

    private void count(Subscription subscription, String what, ToLongFunction<SubscriptionStatus.Counters> count) {
        FunctionCounter.builder(
                        "tributary.subscription." + what,
                        subscription,
                        each -> count.applyAsLong(each.status().totals()))
                .tag("subscription", subscription.name())
                .register(registry);
    }

    private static double lag(Subscription subscription) {
        return subscription.status().partitions().stream()
                .map(PartitionStatus::lag)
                .filter(Objects::nonNull)
                .mapToLong(Long::longValue)
                .sum();
    }

    private static double stopped(Subscription subscription) {
        return subscription.status().partitions().stream()
                .filter(partition -> partition.state() == PartitionStatus.State.STOPPED)
                .count();
    }
}
