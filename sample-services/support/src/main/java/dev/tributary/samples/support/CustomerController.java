package dev.tributary.samples.support;

import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Answers from support's own tables only, so whether sales or fulfilment are up makes no difference. */
@Controller("/customers")
@ExecuteOn(TaskExecutors.BLOCKING)
class CustomerController {
    private final CustomerViews customers;
    private final OrderViews orders;

    CustomerController(CustomerViews customers, OrderViews orders) {
        this.customers = customers;
        this.orders = orders;
    }

    @Get("/{id}")
    Optional<CustomerView> customer(UUID id) {
        return customers.findById(id);
    }

    @Get("/{id}/orders")
    List<OrderView> orders(UUID id) {
        return orders.findTop100ByCustomerIdOrderByPlacedAtDesc(id);
    }
}
