package dev.tributary.samples.sales.order;

import io.micronaut.data.annotation.Id;
import io.micronaut.data.annotation.MappedEntity;
import io.micronaut.data.annotation.TypeDef;
import io.micronaut.data.model.DataType;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** An order is read and written whole, hence its lines in one JSON column. */
@MappedEntity("orders")
record Order(
        @Id UUID id,
        UUID customerId,
        @TypeDef(type = DataType.JSON) List<OrderLine> lines,
        long totalCents,
        Status status,
        Instant placedAt,
        @Nullable Instant shippedAt) {

    enum Status {
        PLACED,
        SHIPPED
    }
}
