package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.progress.ErrorBudget;
import dev.tributary.consumer.progress.ViewProgress;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micronaut.context.annotation.Requires;
import io.micronaut.context.event.ApplicationEventListener;
import io.micronaut.context.event.StartupEvent;
import io.micronaut.core.annotation.Order;
import io.micronaut.core.order.Ordered;
import jakarta.inject.Singleton;
import java.util.function.ToDoubleFunction;

/** Draws meters of views' freshness, where the application has Micrometer. */
@Singleton
@Requires(classes = MeterRegistry.class, beans = MeterRegistry.class)
@Order(Ordered.LOWEST_PRECEDENCE) // after progress has been started
final class FreshnessMetrics implements ApplicationEventListener<StartupEvent> {
    private static final double MILLIS_PER_SECOND = 1_000.0;

    private final ViewProgresses views;
    private final MeterRegistry registry;

    FreshnessMetrics(ViewProgresses views, MeterRegistry registry) {
        this.views = views;
        this.registry = registry;
    }

    @Override
    public void onApplicationEvent(StartupEvent event) {
        views.all().forEach(this::bind);
    }

    private void bind(String name, ViewProgress view) {
        gauge("waiting", view, ViewProgress::waiting, "readers that wait for a write", Tags.of("view", name));
        for (String source : view.sources()) {
            Tags tags = Tags.of("view", name, "source", source);
            Gauge.builder(
                            "tributary.view.age",
                            view,
                            v -> v.freshness(source).age().toMillis() / MILLIS_PER_SECOND)
                    .description("how long ago the view was complete, by the source's clock")
                    .baseUnit("seconds")
                    .tags(tags)
                    .register(registry);
            String burn = "how fast the error budget is used up; at 1 it just lasts for the objective's window";
            budget(
                    "budget.remaining",
                    view,
                    source,
                    ErrorBudget::remaining,
                    "share of the error budget that is left",
                    tags);
            budget("budget.burn", view, source, ErrorBudget::burnLastHour, burn, tags.and("window", "1h"));
            budget("budget.burn", view, source, ErrorBudget::burnLastSixHours, burn, tags.and("window", "6h"));
        }
    }

    /** NaN without an objective, and for the first minutes. */
    private void budget(
            String name,
            ViewProgress view,
            String source,
            ToDoubleFunction<ErrorBudget> value,
            String description,
            Tags tags) {
        ToDoubleFunction<ViewProgress> read = v -> {
            ErrorBudget budget = v.errorBudget(source);
            return budget == null ? Double.NaN : value.applyAsDouble(budget);
        };
        gauge(name, view, read, description, tags);
    }

    private void gauge(
            String name, ViewProgress view, ToDoubleFunction<ViewProgress> value, String description, Tags tags) {
        Gauge.builder("tributary.view." + name, view, value)
                .description(description)
                .tags(tags)
                .register(registry);
    }
}
