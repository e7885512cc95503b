package dev.tributary.samples.fulfilment;

import io.micronaut.data.jdbc.annotation.JdbcRepository;
import io.micronaut.data.model.query.builder.sql.Dialect;
import io.micronaut.data.repository.GenericRepository;
import java.util.Optional;
import java.util.UUID;

/** For reading over HTTP; {@link Shipping} writes. */
@JdbcRepository(dialect = Dialect.POSTGRES)
interface Shipments extends GenericRepository<Shipment, UUID> {
    Optional<Shipment> findByOrderId(UUID orderId);
}
