package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.Subscription;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.List;

/** What runs in the application now: its own subscriptions, and those that feed its views' versions. Thread-safe. */
@Singleton
final class AllSubscriptions {
    private final Subscriptions subscriptions;
    private final Views views;

    AllSubscriptions(Subscriptions subscriptions, Views views) {
        this.subscriptions = subscriptions;
        this.views = views;
    }

    List<Subscription> now() {
        List<Subscription> all = new ArrayList<>(subscriptions.all());
        views.all().forEach(view -> all.addAll(view.subscriptions()));
        return all;
    }
}
