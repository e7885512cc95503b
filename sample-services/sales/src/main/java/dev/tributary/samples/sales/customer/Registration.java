package dev.tributary.samples.sales.customer;

import dev.tributary.outbox.NewEvent;
import dev.tributary.outbox.micronaut.TransactionalOutbox;
import jakarta.inject.Singleton;
import jakarta.transaction.Transactional;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.UUID;

/** Changes a customer and announces the change, in one transaction: both happen, or neither. */
@Singleton
class Registration {
    private final Customers customers;
    private final TransactionalOutbox outbox;

    Registration(Customers customers, TransactionalOutbox outbox) {
        this.customers = customers;
        this.outbox = outbox;
    }

    @Transactional
    Customer register(String name, String email) {
        // PostgreSQL keeps microseconds: what we answer and announce is what we would read back
        Instant now = Instant.now().truncatedTo(ChronoUnit.MICROS);
        Customer customer = customers.save(new Customer(UUID.randomUUID(), name, email, now));
        outbox.publish(NewEvent.of(
                "customer", customer.id().toString(), new CustomerRegistered(customer.id(), name, email, now)));
        return customer;
    }

    @Transactional
    Optional<Customer> rename(UUID id, String name) {
        // The UPDATE comes first: its row lock keeps the order of events the order of names
        if (customers.update(id, name) == 0) {
            return Optional.empty();
        }
        outbox.publish(NewEvent.of("customer", id.toString(), new CustomerRenamed(id, name)));
        return customers.findById(id);
    }
}
