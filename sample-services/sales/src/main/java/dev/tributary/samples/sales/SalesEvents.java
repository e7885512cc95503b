package dev.tributary.samples.sales;

import dev.tributary.outbox.EventTypes;
import dev.tributary.samples.sales.customer.CustomerRegistered;
import dev.tributary.samples.sales.customer.CustomerRenamed;
import dev.tributary.samples.sales.order.OrderPlaced;
import dev.tributary.samples.sales.order.OrderShipped;
import io.micronaut.context.annotation.Factory;
import jakarta.inject.Singleton;

/** What sales promises the world: every event it announces, by name and version. */
@Factory
final class SalesEvents {
    @Singleton
    EventTypes eventTypes() {
        return EventTypes.builder()
                .register("customer.registered", 1, CustomerRegistered.class)
                .register("customer.renamed", 2, CustomerRenamed.class)
                .register("order.placed", 1, OrderPlaced.class)
                .register("order.shipped", 1, OrderShipped.class)
                .build();
    }
}
