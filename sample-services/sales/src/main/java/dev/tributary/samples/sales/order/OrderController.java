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
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

@Controller("/orders")
@ExecuteOn(TaskExecutors.BLOCKING)
class OrderController {
    private final Ordering ordering;

    OrderController(Ordering ordering) {
        this.ordering = ordering;
    }

    @Post
    HttpResponse<Order> place(@Valid @Body NewOrder request) throws SQLException {
        Order order = ordering.place(request.customerId(), request.lines())
                .orElseThrow(() -> new HttpStatusException(
                        HttpStatus.BAD_REQUEST, "customerId: no customer " + request.customerId()));
        return HttpResponse.created(order, URI.create("/orders/" + order.id()));
    }

    @Get("/{id}")
    Optional<Order> order(UUID id) throws SQLException {
        return ordering.find(id);
    }

    @Introspected
    record NewOrder(
            @NotNull UUID customerId,
            @NotEmpty @Size(max = 100) List<@Valid OrderLine> lines) {}
}
