package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.ParkedCounts;
import dev.tributary.consumer.Subscription;
import io.micronaut.context.annotation.Property;
import io.micronaut.context.event.ApplicationEventListener;
import io.micronaut.context.event.StartupEvent;
import io.micronaut.core.annotation.Order;
import io.micronaut.core.order.Ordered;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Singleton;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts what is parked now and then, so that neither a scrape nor a health check waits for a database. */
@Singleton
@Order(Ordered.LOWEST_PRECEDENCE - 1) // after the subscriptions have been started, before they are measured
final class ParkedWatch implements ApplicationEventListener<StartupEvent> {
    private static final Logger LOG = LoggerFactory.getLogger(ParkedWatch.class);

    private final AllSubscriptions subscriptions;
    private final Duration countEvery;
    private final Map<String, ParkedCounts> counts = new ConcurrentHashMap<>();
    private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "tributary-parked-watch");
        thread.setDaemon(true);
        return thread;
    });

    ParkedWatch(
            AllSubscriptions subscriptions,
            @Property(name = "tributary.parked.count-every", defaultValue = "10s") Duration countEvery) {
        this.subscriptions = subscriptions;
        this.countEvery = countEvery;
    }

    @Override
    public void onApplicationEvent(StartupEvent event) {
        var unused = executor.scheduleWithFixedDelay(this::count, 0, countEvery.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void count() {
        for (Subscription subscription : subscriptions.now()) {
            try {
                counts.put(subscription.name(), subscription.parkedEvents().count());
            } catch (SQLException | RuntimeException e) { // one that got out would be the last
                counts.remove(subscription.name());
                LOG.debug("{}: cannot count what is parked", subscription.name(), e);
            }
        }
    }

    /** Null if the database could not be asked lately. */
    @Nullable
    ParkedCounts of(String subscription) {
        return counts.get(subscription);
    }

    @PreDestroy
    void close() {
        executor.shutdownNow();
    }
}
