package dev.tributary.samples.fulfilment;

import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import java.util.Optional;
import java.util.UUID;

@Controller("/shipments")
@ExecuteOn(TaskExecutors.BLOCKING)
class ShipmentController {
    private final Shipments shipments;

    ShipmentController(Shipments shipments) {
        this.shipments = shipments;
    }

    @Get("/{orderId}")
    Optional<Shipment> shipment(UUID orderId) {
        return shipments.findByOrderId(orderId);
    }
}
