package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.view.View;
import dev.tributary.consumer.view.ViewStatus;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micronaut.context.annotation.Requires;
import io.micronaut.context.event.ApplicationEventListener;
import io.micronaut.context.event.StartupEvent;
import io.micronaut.core.annotation.Order;
import io.micronaut.core.order.Ordered;
import jakarta.inject.Singleton;
import java.util.function.ToDoubleFunction;

/** Draws meters from the views' statuses, where the application has Micrometer. */
@Singleton
@Requires(classes = MeterRegistry.class, beans = MeterRegistry.class)
@Order(Ordered.LOWEST_PRECEDENCE) // after the views have been started
final class ViewsMetrics implements ApplicationEventListener<StartupEvent> {
    private final Views views;
    private final MeterRegistry registry;

    ViewsMetrics(Views views, MeterRegistry registry) {
        this.views = views;
        this.registry = registry;
    }

    @Override
    public void onApplicationEvent(StartupEvent event) {
        views.all().forEach(this::bind);
    }

    private void bind(View view) {
        Gauge.builder("tributary.view.live.version", view, ViewsMetrics::liveVersion)
                .description("the version that readers see; 0 when not known yet")
                .tag("view", view.name())
                .register(registry);
        for (int version : view.knownVersions()) {
            gauge(view, version, "done", "records that are in the version", ViewStatus.Progress::done);
            gauge(view, version, "total", "records of its history that Kafka has", ViewStatus.Progress::total);
            gauge(view, version, "rate", "records per second that are added to it", ViewStatus.Progress::perSecond);
        }
    }

    private static double liveVersion(View view) {
        Integer live = view.status().liveVersion();
        return live == null ? 0 : live;
    }

    private void gauge(
            View view, int number, String what, String description, ToDoubleFunction<ViewStatus.Progress> value) {
        Gauge.builder("tributary.view.version." + what, view, each -> each.status().versions().stream()
                        .filter(version -> version.version() == number)
                        .map(ViewStatus.Version::progress)
                        .mapToDouble(progress -> progress == null ? Double.NaN : value.applyAsDouble(progress))
                        .findAny()
                        .orElse(Double.NaN))
                .description(description)
                .tag("view", view.name())
                .tag("version", Integer.toString(number))
                .register(registry);
    }
}
