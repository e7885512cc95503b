package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.Subscription;
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
 * What the application's views include, by subscription: empty before the application has started. Thread-safe from then on.
 */
@Singleton
@Order(Ordered.LOWEST_PRECEDENCE - 1) // after the subscriptions have been started, before they are measured
public final class ViewProgresses implements ApplicationEventListener<StartupEvent> {
    private static final Logger LOG = LoggerFactory.getLogger(ViewProgresses.class);

    private final Subscriptions subscriptions;
    private final Environment environment;
    private final Map<String, ViewProgress> running = Collections.synchronizedMap(new TreeMap<>());

    ViewProgresses(Subscriptions subscriptions, Environment environment) {
        this.subscriptions = subscriptions;
        this.environment = environment;
    }

    /**
     * A subscription's.
     *
     * @throws SubscriptionException if no such subscription runs here, or its sources are not known
     */
    public ViewProgress get(String subscription) {
        ViewProgress progress = running.get(subscription);
        if (progress == null) {
            throw new SubscriptionException("nothing is known of the progress of subscription " + subscription
                    + ": no such subscription runs here, or its sources cannot be told by its topics' names and "
                    + new ProgressSettings(environment, subscription).sourcesKey() + " does not name them");
        }
        return progress;
    }

    /** All, by subscription. */
    public Map<String, ViewProgress> all() {
        synchronized (running) {
            return Map.copyOf(running);
        }
    }

    /** The age from which on a view counts as down; null if it never does. */
    @Nullable
    Duration freshnessLimit(String subscription) {
        return new ProgressSettings(environment, subscription).freshnessLimit();
    }

    /** Called by Micronaut once the subscriptions have been started. */
    @Override
    public void onApplicationEvent(StartupEvent event) {
        subscriptions.all().forEach(this::start);
    }

    private void start(Subscription subscription) {
        ProgressSettings settings = new ProgressSettings(environment, subscription.name());
        try {
            running.put(
                    subscription.name(),
                    settings.applyTo(ViewProgress.of(subscription)).start());
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
