package dev.tributary.outbox.micronaut;

import dev.tributary.outbox.EventTypes;
import dev.tributary.outbox.NewEvent;
import dev.tributary.outbox.SequenceConflictException;
import dev.tributary.outbox.wire.ReadToken;
import io.micronaut.context.annotation.Factory;
import io.micronaut.context.annotation.Requires;
import io.micronaut.transaction.annotation.Transactional;
import jakarta.inject.Named;
import jakarta.inject.Singleton;
import java.time.Instant;
import java.util.List;

/** A service of two data sources, as an application would write it. */
@Singleton
@Requires(property = "test.orders")
class OrderService {
    private final TransactionalOutbox outbox;
    private final TransactionalOutbox inventoryOutbox;

    record OrderPlaced(String customer, List<String> lines, Instant at) {}

    @Factory
    static class Types {
        @Singleton
        @Requires(property = "test.orders")
        EventTypes eventTypes() {
            return EventTypes.builder()
                    .register("order.placed", 1, OrderPlaced.class)
                    .build();
        }
    }

    OrderService(TransactionalOutbox outbox, @Named("inventory") TransactionalOutbox inventoryOutbox) {
        this.outbox = outbox;
        this.inventoryOutbox = inventoryOutbox;
    }

    @Transactional
    void place(String id, Runnable then) {
        outbox.publish(placed(id), placed(id));
        then.run();
    }

    void placeWithoutTransaction(String id) {
        outbox.publish(placed(id));
    }

    ReadToken token() {
        return outbox.token();
    }

    ReadToken inventoryToken() {
        return inventoryOutbox.token();
    }

    @Transactional
    void takeTokenTooEarly(String id) {
        outbox.publish(placed(id));
        outbox.token();
    }

    @Transactional("inventory")
    void reserve(String id) {
        inventoryOutbox.publish(placed(id));
    }

    @Transactional("inventory")
    void placeInTheWrongTransaction(String id) {
        outbox.publish(placed(id));
    }

    @Transactional
    void placeExpecting(String id, long sequence, Runnable onConflict) {
        try {
            outbox.publish(placed(id).expectingSequence(sequence));
        } catch (SequenceConflictException e) {
            onConflict.run();
            outbox.publish(placed(id).expectingSequence(e.actual()));
        }
    }

    private static NewEvent placed(String id) {
        return NewEvent.of("order", id, new OrderPlaced("Ann", List.of(), Instant.EPOCH));
    }
}
