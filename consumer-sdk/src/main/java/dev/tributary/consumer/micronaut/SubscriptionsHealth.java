package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.ParkedCounts;
import dev.tributary.consumer.PartitionStatus;
import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionStatus;
import io.micronaut.context.annotation.Requires;
import io.micronaut.core.async.publisher.Publishers;
import io.micronaut.health.HealthStatus;
import io.micronaut.management.health.indicator.HealthIndicator;
import io.micronaut.management.health.indicator.HealthResult;
import jakarta.inject.Singleton;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;

/**
 * Down when a partition has stopped, which people have to mend. Not while Kafka or the database is away: that passes, and
 * until then the view can still be read.
 */
@Singleton
@Requires(classes = HealthIndicator.class)
final class SubscriptionsHealth implements HealthIndicator {
    private final Subscriptions subscriptions;
    private final ParkedWatch parked;

    SubscriptionsHealth(Subscriptions subscriptions, ParkedWatch parked) {
        this.subscriptions = subscriptions;
        this.parked = parked;
    }

    @Override
    public Publisher<HealthResult> getResult() {
        Map<String, Object> details = new LinkedHashMap<>();
        boolean stopped = false;
        for (Subscription subscription : subscriptions.all()) {
            SubscriptionStatus status = subscription.status();
            details.put(subscription.name(), describe(status, parked.of(subscription.name())));
            stopped |= status.partitions().stream()
                    .anyMatch(partition -> partition.state() == PartitionStatus.State.STOPPED);
        }
        return Publishers.just(HealthResult.builder("subscriptions", stopped ? HealthStatus.DOWN : HealthStatus.UP)
                .details(details)
                .build());
    }

    private static Map<String, Object> describe(SubscriptionStatus status, @Nullable ParkedCounts parked) {
        Map<String, Object> description = new LinkedHashMap<>();
        description.put("state", status.state().name());
        if (!status.reason().isEmpty()) {
            description.put("reason", status.reason());
        }
        Map<String, Object> partitions = new LinkedHashMap<>();
        for (PartitionStatus partition : status.partitions()) {
            partitions.put(partition.topic() + "-" + partition.partition(), describe(partition));
        }
        description.put("partitions", partitions);
        if (parked != null && parked.events() > 0) {
            description.put("parkedAggregates", parked.aggregates());
            description.put("parkedEvents", parked.events());
            description.put("parkedSince", String.valueOf(parked.since()));
        }
        return description;
    }

    private static Map<String, Object> describe(PartitionStatus partition) {
        Map<String, Object> description = new LinkedHashMap<>();
        description.put("state", partition.state().name());
        if (partition.lag() != null) {
            description.put("lag", partition.lag());
        }
        if (!partition.reason().isEmpty()) {
            description.put("reason", partition.reason());
            description.put("remedy", partition.remedy());
        }
        return description;
    }
}
