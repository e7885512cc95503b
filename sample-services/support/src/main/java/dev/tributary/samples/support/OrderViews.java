package dev.tributary.samples.support;

import io.micronaut.data.jdbc.annotation.JdbcRepository;
import io.micronaut.data.model.query.builder.sql.Dialect;
import io.micronaut.data.repository.GenericRepository;
import java.util.List;
import java.util.UUID;

@JdbcRepository(dialect = Dialect.POSTGRES)
interface OrderViews extends GenericRepository<OrderView, UUID> {
    List<OrderView> findTop100ByCustomerIdOrderByPlacedAtDesc(UUID customerId);
}
