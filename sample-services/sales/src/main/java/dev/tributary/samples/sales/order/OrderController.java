package dev.tributary.samples.sales.order;

import io.micronaut.core.annotation.Introspected;
import io.micronaut.http.HttpResponse;
import io.micronaut.http.HttpStatus;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Post;
import io.micronaut.http.exceptions.HttpStatusException;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotEmpty;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Size;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

@Controller("/orders")
@ExecuteOn(TaskExecutors.BLOCKING)
class OrderController {
    private final Ordering ordering;
    private final Orders orders;

    OrderController(Ordering ordering, Orders orders) {
        this.ordering = ordering;
        this.orders = orders;
    }

    @Post
    HttpResponse<Order> place(@Valid @Body NewOrder request) {
        Order order = ordering.place(request.customerId(), request.lines())
                .orElseThrow(() -> new HttpStatusException(
                        HttpStatus.BAD_REQUEST, "customerId: no customer " + request.customerId()));
        return HttpResponse.created(order, URI.create("/orders/" + order.id()));
    }

    @Get("/{id}")
    Optional<Order> order(UUID id) {
        return orders.findById(id);
    }

    @Introspected
    record NewOrder(
            @NotNull UUID customerId,
            @NotEmpty @Size(max = 100) List<@Valid OrderLine> lines) {}
}
