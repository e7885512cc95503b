package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.view.View;
import io.micronaut.context.env.Environment;
import io.micronaut.core.naming.NameUtils;
import java.util.Optional;

/** What an application configures of a view, under {@code tributary.views.<name>}. */
final class ViewSettings {
    private final Environment environment;
    private final String prefix;

    ViewSettings(Environment environment, String view) {
        this.environment = environment;
        this.prefix = "tributary.views." + NameUtils.hyphenate(view) + ".";
    }

    boolean enabled() {
        return setting("enabled", Boolean.class).orElse(true);
    }

    String dataSource() {
        return setting("data-source", String.class).orElse("default");
    }

    void applyTo(View.Builder builder) {
        builder.kafka(SubscriptionSettings.kafka(environment, prefix));
        setting("switch-automatically", Boolean.class).ifPresent(builder::switchAutomatically);
        setting("build-events-per-second-max", Long.class).ifPresent(builder::buildEventsPerSecondMax);
        setting("live-lag-max", Long.class).ifPresent(builder::liveLagMax);
    }

    private <T> Optional<T> setting(String key, Class<T> type) {
        return Configured.value(environment, prefix + key, type);
    }
}
