package dev.tributary.samples.sales.order;

import io.micronaut.data.annotation.Query;
import io.micronaut.data.jdbc.annotation.JdbcRepository;
import io.micronaut.data.model.query.builder.sql.Dialect;
import io.micronaut.data.repository.GenericRepository;
import java.util.Optional;
import java.util.UUID;

@JdbcRepository(dialect = Dialect.POSTGRES)
interface Orders extends GenericRepository<Order, UUID> {
    Order save(Order order);

    Optional<Order> findById(UUID id);

    @Query("SELECT EXISTS (SELECT FROM customer WHERE id = :customerId)")
    boolean isCustomer(UUID customerId);
}
