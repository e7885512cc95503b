package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.PartitionStatus;
import dev.tributary.consumer.view.View;
import dev.tributary.consumer.view.ViewStatus;
import io.micronaut.context.annotation.Requires;
import io.micronaut.core.async.publisher.Publishers;
import io.micronaut.health.HealthStatus;
import io.micronaut.management.health.indicator.HealthIndicator;
import io.micronaut.management.health.indicator.HealthResult;
import jakarta.inject.Singleton;
import java.util.LinkedHashMap;
import java.util.Map;
import org.reactivestreams.Publisher;

/** Down when what readers see has stopped, which people have to mend; a build that has stopped only shows. */
@Singleton
@Requires(classes = HealthIndicator.class)
final class ViewsHealth implements HealthIndicator {
    private final Views views;

    ViewsHealth(Views views) {
        this.views = views;
    }

    @Override
    public Publisher<HealthResult> getResult() {
        Map<String, Object> details = new LinkedHashMap<>();
        boolean stopped = false;
        for (View view : views.all()) {
            ViewStatus status = view.status();
            details.put(view.name(), ViewsEndpoint.describe(status));
            String live = status.liveVersion() == null ? "" : view.subscription(status.liveVersion());
            stopped |= view.subscriptions().stream()
                    .filter(subscription -> subscription.name().equals(live))
                    .flatMap(subscription -> subscription.status().partitions().stream())
                    .anyMatch(partition -> partition.state() == PartitionStatus.State.STOPPED);
        }
        return Publishers.just(HealthResult.builder("views", stopped ? HealthStatus.DOWN : HealthStatus.UP)
                .details(details)
                .build());
    }
}
