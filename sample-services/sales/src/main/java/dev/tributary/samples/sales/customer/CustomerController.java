package dev.tributary.samples.sales.customer;

import io.micronaut.core.annotation.Introspected;
import io.micronaut.http.HttpResponse;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Post;
import io.micronaut.http.annotation.Put;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Email;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.Size;
import java.net.URI;
import java.util.Optional;
import java.util.UUID;

@Controller("/customers")
@ExecuteOn(TaskExecutors.BLOCKING)
class CustomerController {
    private final Registration registration;
    private final Customers customers;

    CustomerController(Registration registration, Customers customers) {
        this.registration = registration;
        this.customers = customers;
    }

    @Post
    HttpResponse<Customer> register(@Valid @Body NewCustomer request) {
        Customer customer = registration.register(request.name(), request.email());
        return HttpResponse.created(customer, URI.create("/customers/" + customer.id()));
    }

    @Put("/{id}")
    Optional<Customer> rename(UUID id, @Valid @Body NewName request) {
        return registration.rename(id, request.name());
    }

    @Get("/{id}")
    Optional<Customer> customer(UUID id) {
        return customers.findById(id);
    }

    @Introspected
    record NewCustomer(
            @NotBlank @Size(max = 200) String name,
            @NotBlank @Email @Size(max = 200) String email) {}

    @Introspected
    record NewName(@NotBlank @Size(max = 200) String name) {}
}
