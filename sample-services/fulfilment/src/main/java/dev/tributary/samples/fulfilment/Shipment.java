package dev.tributary.samples.fulfilment;

import io.micronaut.data.annotation.Id;
import io.micronaut.data.annotation.MappedEntity;
import io.micronaut.data.annotation.TypeDef;
import io.micronaut.data.model.DataType;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

@MappedEntity("shipment")
record Shipment(
        @Id UUID id,
        UUID orderId,
        UUID customerId,
        @TypeDef(type = DataType.JSON) List<Item> items,
        String carrier,
        String tracking,
        Instant shippedAt) {}
