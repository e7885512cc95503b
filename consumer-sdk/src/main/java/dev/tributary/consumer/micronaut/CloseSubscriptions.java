package dev.tributary.consumer.micronaut;

import io.micronaut.context.event.ApplicationEventListener;
import io.micronaut.context.event.ShutdownEvent;
import jakarta.inject.Singleton;

/** Ends subscriptions while the beans that their handlers use, and the data source, are still there. */
@Singleton
final class CloseSubscriptions implements ApplicationEventListener<ShutdownEvent> {
    private final Subscriptions subscriptions;
    private final ViewProgresses progresses;
    private final Views views;

    CloseSubscriptions(Subscriptions subscriptions, ViewProgresses progresses, Views views) {
        this.subscriptions = subscriptions;
        this.progresses = progresses;
        this.views = views;
    }

    @Override
    public void onApplicationEvent(ShutdownEvent event) {
        progresses.close();
        subscriptions.close();
        views.close();
    }
}
