package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.progress.Freshness;
import dev.tributary.consumer.progress.ViewProgress;
import io.micronaut.context.annotation.Requires;
import io.micronaut.core.async.publisher.Publishers;
import io.micronaut.health.HealthStatus;
import io.micronaut.management.health.indicator.HealthIndicator;
import io.micronaut.management.health.indicator.HealthResult;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;

/** Says how fresh the views are; down when one is older than {@code freshness.limit}, if that is set. */
@Singleton
@Requires(classes = HealthIndicator.class)
final class FreshnessHealth implements HealthIndicator {
    private final ViewProgresses views;

    FreshnessHealth(ViewProgresses views) {
        this.views = views;
    }

    @Override
    public Publisher<HealthResult> getResult() {
        Map<String, Object> details = new LinkedHashMap<>();
        boolean stale = false;
        for (Map.Entry<String, ViewProgress> each : views.all().entrySet()) {
            Duration limit = views.freshnessLimit(each.getKey());
            Map<String, Object> sources = new LinkedHashMap<>();
            for (String source : each.getValue().sources()) {
                Freshness freshness = each.getValue().freshness(source);
                boolean tooOld = limit != null && freshness.age().compareTo(limit) > 0;
                stale |= tooOld;
                sources.put(source, describe(each.getKey(), freshness, tooOld ? limit : null));
            }
            details.put(each.getKey(), sources);
        }
        return Publishers.just(HealthResult.builder("freshness", stale ? HealthStatus.DOWN : HealthStatus.UP)
                .details(details)
                .build());
    }

    private static Map<String, Object> describe(String view, Freshness freshness, @Nullable Duration exceeded) {
        Map<String, Object> description = new LinkedHashMap<>();
        if (freshness.completeUpTo() != null) {
            description.put("completeUpTo", freshness.completeUpTo().toString());
        }
        description.put("ageSeconds", freshness.age().toSeconds());
        if (exceeded != null) {
            description.put("reason", reason(view, freshness, exceeded));
        }
        return description;
    }

    private static String reason(String view, Freshness freshness, Duration limit) {
        Instant complete = freshness.completeUpTo();
        Instant published = freshness.publishedUpTo();
        String source = freshness.source();
        String age = (complete == null
                        ? "it is not known up to when the view is complete, since "
                        : "the view is complete with respect to source " + source + " up to " + complete + " only, ")
                + freshness.age().toSeconds() + " s ago, and the limit is " + limit.toSeconds() + " s: ";
        if (published == null) {
            return age + "no progress mark of source " + source
                    + " has been read; see whether its relay has ever run, and "
                    + "whether this service may read topic tributary.progress." + source;
        }
        // By the source's clock, both: how much of the age is the relay's
        boolean reached =
                complete != null && Duration.between(complete, published).compareTo(limit) < 0;
        return reached
                ? age + "the relay has published no further; see /health/readiness and the state of source " + source
                        + " at the relay"
                : age + "the relay has published up to " + published + "; see the partitions of " + view
                        + " under \"subscriptions\" or \"views\", at all instances";
    }
}
