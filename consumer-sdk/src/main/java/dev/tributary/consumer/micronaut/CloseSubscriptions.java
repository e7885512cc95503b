package dev.tributary.consumer.micronaut;

import io.micronaut.context.event.ApplicationEventListener;
import io.micronaut.context.event.ShutdownEvent;
import jakarta.inject.Singleton;

/** Ends subscriptions while the beans that their handlers use, and the data source, are still there. */
@Singleton
final class CloseSubscriptions implements ApplicationEventListener<ShutdownEvent> {
    private final Subscriptions subscriptions;
    private final ViewProgresses views;

    CloseSubscriptions(Subscriptions subscriptions, ViewProgresses views) {
        this.subscriptions = subscriptions;
        this.views = views;
    }

    @Override
    public void onApplicationEvent(ShutdownEvent event) {
        views.close();
        subscriptions.close();
    }
}
