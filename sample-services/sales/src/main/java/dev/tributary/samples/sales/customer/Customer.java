package dev.tributary.samples.sales.customer;

import io.micronaut.data.annotation.Id;
import io.micronaut.data.annotation.MappedEntity;
import java.time.Instant;
import java.util.UUID;

@MappedEntity("customer")
record Customer(@Id UUID id, String name, String email, Instant registeredAt) {}
