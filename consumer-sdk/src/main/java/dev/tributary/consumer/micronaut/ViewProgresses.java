package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.progress.ViewProgress;
import io.micronaut.context.env.Environment;
import io.micronaut.context.event.ApplicationEventListener;
import io.micronaut.context.event.StartupEvent;
import io.micronaut.core.annotation.Order;
import io.micronaut.core.order.Ordered;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the application's views include, by the name of the view, or of the subscription that feeds it: empty before the
 * application has started. Thread-safe from then on.
 */
@Singleton
@Order(Ordered.LOWEST_PRECEDENCE - 1) // after subscriptions and views have been started, before they are measured
public final class ViewProgresses implements ApplicationEventListener<StartupEvent> {
    private static final Logger LOG = LoggerFactory.getLogger(ViewProgresses.class);

    private final Subscriptions subscriptions;
    private final Views views;
    private final Environment environment;
    private final Map<String, ViewProgress> running = Collections.synchronizedMap(new TreeMap<>());

    ViewProgresses(Subscriptions subscriptions, Views views, Environment environment) {
        this.subscriptions = subscriptions;
        this.views = views;
        this.environment = environment;
    }

    /**
     * A view's, or a subscription's.
     *
     * @throws SubscriptionException if none of that name runs here, or its sources are not known
     */
    public ViewProgress get(String name) {
        ViewProgress progress = running.get(name);
        if (progress == null) {
            throw new SubscriptionException("nothing is known of the progress of " + name
                    + ": no view or subscription of that name runs here, or its sources cannot be told by its topics'"
                    + " names and "
                    + ProgressSettings.ofSubscription(environment, name).sourcesKey() + " or "
                    + ProgressSettings.ofView(environment, name).sourcesKey() + " does not name them");
        }
        return progress;
    }

    /** All, by view or subscription. */
    public Map<String, ViewProgress> all() {
        synchronized (running) {
            return Map.copyOf(running);
        }
    }

    /** The age from which on a view counts as down; null if it never does. */
    @Nullable
    Duration freshnessLimit(String name) {
        return settings(name).freshnessLimit();
    }

    private ProgressSettings settings(String name) {
        return views.all().stream().anyMatch(view -> view.name().equals(name))
                ? ProgressSettings.ofView(environment, name)
                : ProgressSettings.ofSubscription(environment, name);
    }

    /** Called by Micronaut once subscriptions and views have been started. */
    @Override
    public void onApplicationEvent(StartupEvent event) {
        views.all().forEach(view -> start(view.name(), ViewProgress.of(view)));
        subscriptions.all().forEach(subscription -> start(subscription.name(), ViewProgress.of(subscription)));
    }

    private void start(String name, ViewProgress.Builder progress) {
        if (running.containsKey(name)) {
            throw new SubscriptionException("both a view and a subscription are called " + name);
        }
        ProgressSettings settings = settings(name);
        try {
            running.put(name, settings.applyTo(progress).start());
        } catch (SubscriptionException e) {
            if (settings.namesSources()) {
                throw e;
            }
            LOG.info("{}", e.getMessage()); // it need not be known: nobody may want to wait
        }
    }

    void close() {
        all().values().forEach(ViewProgress::close);
    }
}
