package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.progress.ViewProgress;
import io.micronaut.context.env.Environment;
import io.micronaut.core.naming.NameUtils;

/** What an application configures of a view's progress, under {@code tributary.subscriptions.<name>}. */
final class ProgressSettings {
    private final Environment environment;
    private final String prefix;

    ProgressSettings(Environment environment, String subscription) {
        this.environment = environment;
        this.prefix = "tributary.subscriptions." + NameUtils.hyphenate(subscription) + ".";
    }

    String sourcesKey() {
        return prefix + "sources";
    }

    boolean namesSources() {
        return environment.containsProperty(sourcesKey());
    }

    ViewProgress.Builder applyTo(ViewProgress.Builder builder) {
        return builder.sources(
                environment.getProperty(sourcesKey(), String[].class).orElse(new String[0]));
    }
}
