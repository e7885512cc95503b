package dev.tributary.samples.fulfilment;

import dev.tributary.outbox.EventTypes;
import io.micronaut.context.annotation.Factory;
import jakarta.inject.Singleton;

/** What fulfilment promises the world: every event it announces, by name and version. */
@Factory
final class FulfilmentEvents {
    @Singleton
    EventTypes eventTypes() {
        return EventTypes.builder()
                .register("shipment.shipped", 1, ShipmentShipped.class)
                .build();
    }
}
