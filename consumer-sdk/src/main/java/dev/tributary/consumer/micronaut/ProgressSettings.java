package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.progress.FreshnessObjective;
import dev.tributary.consumer.progress.ViewProgress;
import io.micronaut.context.env.Environment;
import io.micronaut.core.naming.NameUtils;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What an application configures of a view's progress, under {@code tributary.views.<name>}, or {@code
 * tributary.subscriptions.<name>} where it is a subscription's.
 */
final class ProgressSettings {
    private static final String OBJECTIVE = "freshness.objective";

    private final Environment environment;
    private final String prefix;

    private ProgressSettings(Environment environment, String kind, String name) {
        this.environment = environment;
        this.prefix = "tributary." + kind + "." + NameUtils.hyphenate(name) + ".";
    }

    static ProgressSettings ofSubscription(Environment environment, String name) {
        return new ProgressSettings(environment, "subscriptions", name);
    }

    static ProgressSettings ofView(Environment environment, String name) {
        return new ProgressSettings(environment, "views", name);
    }

    String sourcesKey() {
        return prefix + "sources";
    }

    boolean namesSources() {
        return environment.containsProperty(sourcesKey());
    }

    /** Null if it is not set. */
    @Nullable
    Duration freshnessLimit() {
        return duration("freshness.limit").orElse(null);
    }

    ViewProgress.Builder applyTo(ViewProgress.Builder builder) {
        FreshnessObjective objective = objective();
        if (objective != null) {
            builder.objective(objective);
        }
        return builder.sources(
                environment.getProperty(sourcesKey(), String[].class).orElse(new String[0]));
    }

    /** There is one as soon as one of its parts is set. */
    private @Nullable FreshnessObjective objective() {
        if (!environment.containsProperties(prefix + OBJECTIVE)) {
            return null;
        }
        FreshnessObjective defaults = FreshnessObjective.ofDefaults();
        return new FreshnessObjective(
                duration(OBJECTIVE + ".age").orElse(defaults.ageMax()),
                Configured.value(environment, prefix + OBJECTIVE + ".share", Double.class)
                        .orElse(defaults.share()),
                duration(OBJECTIVE + ".window").orElse(defaults.window()));
    }

    private Optional<Duration> duration(String key) {
        return Configured.value(environment, prefix + key, Duration.class);
    }
}
