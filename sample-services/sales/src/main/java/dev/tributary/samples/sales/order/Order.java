package dev.tributary.samples.sales.order;

import io.micronaut.core.annotation.Introspected;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** An order as its events tell, and as callers see it. */
@Introspected
record Order(
        UUID id,
        UUID customerId,
        List<OrderLine> lines,
        long totalCents,
        Status status,
        Instant placedAt,
        @Nullable Instant shippedAt) {

    enum Status {
        PLACED,
        SHIPPED
    }

    Order shipped(Instant at) {
        return new Order(id, customerId, lines, totalCents, Status.SHIPPED, placedAt, at);
    }
}
