package dev.tributary.samples.sales.order;

import io.micronaut.core.annotation.Introspected;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.Positive;
import jakarta.validation.constraints.Size;

/** One product of an order, as taken, stored and announced. The maxima keep every total far from overflow. */
@Introspected
public record OrderLine(
        @NotBlank @Size(max = 200) String product,
        @Positive @Max(1_000_000) int quantity,
        @Positive @Max(1_000_000_000) long unitPriceCents) {

    long cents() {
        return quantity * unitPriceCents;
    }
}
