package dev.tributary.samples.support;

import io.micronaut.data.annotation.Id;
import io.micronaut.data.annotation.MappedEntity;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** An order as support sees it; all about its shipment is null until that is known here. */
@MappedEntity("order_view")
record OrderView(
        @Id UUID orderId,
        UUID customerId,
        Instant placedAt,
        long totalCents,
        String status,
        @Nullable Instant shippedAt,
        @Nullable String carrier,
        @Nullable String tracking,
        Instant appliedAt,
        @Nullable Instant shipmentAppliedAt) {}
