package dev.tributary.samples.support;

import io.micronaut.data.annotation.Id;
import io.micronaut.data.annotation.MappedEntity;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A customer as support sees it; {@code lastOrderAt} is null before the first order, {@code email} and
 * {@code registeredAt} if the topic did not reach back to the registration.
 */
@MappedEntity("customer_view")
record CustomerView(
        @Id UUID customerId,
        String name,
        @Nullable String email,
        @Nullable Instant registeredAt,
        long ordersPlaced,
        long ordersShipped,
        long totalCents,
        @Nullable Instant lastOrderAt,
        Instant appliedAt) {}
