package dev.tributary.samples.support;

import io.micronaut.data.jdbc.annotation.JdbcRepository;
import io.micronaut.data.model.query.builder.sql.Dialect;
import io.micronaut.data.repository.GenericRepository;
import java.util.Optional;
import java.util.UUID;

@JdbcRepository(dialect = Dialect.POSTGRES)
interface CustomerViews extends GenericRepository<CustomerView, UUID> {
    Optional<CustomerView> findById(UUID customerId);
}
