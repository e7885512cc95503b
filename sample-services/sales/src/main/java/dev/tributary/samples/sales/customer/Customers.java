package dev.tributary.samples.sales.customer;

import io.micronaut.data.annotation.Id;
import io.micronaut.data.jdbc.annotation.JdbcRepository;
import io.micronaut.data.model.query.builder.sql.Dialect;
import io.micronaut.data.repository.GenericRepository;
import java.util.Optional;
import java.util.UUID;

@JdbcRepository(dialect = Dialect.POSTGRES)
interface Customers extends GenericRepository<Customer, UUID> {
    Customer save(Customer customer);

    Optional<Customer> findById(UUID id);

    /** Returns how many rows changed: 0 if there is no such customer. */
    long update(@Id UUID id, String name);
}
