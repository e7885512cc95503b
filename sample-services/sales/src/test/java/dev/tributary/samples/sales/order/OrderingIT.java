package dev.tributary.samples.sales.order;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.samples.sales.AgainstLocalStack;
import io.micronaut.context.annotation.Property;
import io.micronaut.test.extensions.junit5.annotation.MicronautTest;
import io.micronaut.transaction.TransactionOperations;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

@MicronautTest(transactional = false)
@Property(name = "tributary.subscriptions.sales-shipped-orders.enabled", value = "false")
class OrderingIT extends AgainstLocalStack {
    private static final UUID CUSTOMER = UUID.randomUUID();

    @Inject
    Ordering ordering;

    @Inject
    TransactionOperations<Connection> transactions;

    @Test
    void what_is_rolled_back_leaves_neither_event_nor_number() throws Exception {
        execute("INSERT INTO customer VALUES ('%s', 'Ada', 'ada@example.org', now())".formatted(CUSTOMER));
        List<OrderLine> lines = List.of(new OrderLine("teapot", 1, 1250));

        assertThatThrownBy(() -> transactions.executeWrite(transaction -> {
                    assertThat(ordering.place(CUSTOMER, lines)).isPresent();
                    throw new IllegalStateException("after the order was placed");
                }))
                .isInstanceOf(IllegalStateException.class);

        assertThat(value("SELECT count(*) FROM tributary.event_store")).isEqualTo("0");
        assertThat(value("SELECT count(*) FROM tributary.aggregate")).isEqualTo("0");

        assertThat(ordering.place(CUSTOMER, lines)).isPresent();

        assertThat(value("SELECT string_agg(type || ' ' || sequence, ', ') FROM tributary.event_store"))
                .isEqualTo("order.placed.v1 1");
    }
}
