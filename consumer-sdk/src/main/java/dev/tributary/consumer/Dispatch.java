package dev.tributary.consumer;

import dev.tributary.consumer.SubscriptionConfig.TypeHandler;
import java.sql.Connection;
import java.util.Objects;

/**
 * The one way from an event's bytes to its handler, for events from Kafka and for parked ones that are redriven. One for
 * each transaction.
 */
final class Dispatch {
    private final SubscriptionConfig config;
    private final PayloadReader payloads;
    private final Connection lent;

    Dispatch(SubscriptionConfig config, PayloadReader payloads, Connection connection) {
        this.config = config;
        this.payloads = payloads;
        this.lent = HandlerConnection.guard(
                connection, config.feed() == null ? null : config.feed().schema());
    }

    /** Whether there is a handler for events of this type. */
    boolean handles(String type) {
        return config.handler(type) != null;
    }

    /**
     * Has an event that it {@link #handles} applied to the view.
     *
     * @throws Exception whatever its payload's reader or its handler throws
     */
    void handle(Event<byte[]> event) throws Exception {
        call(Objects.requireNonNull(config.handler(event.type())), event);
    }

    private <T> void call(TypeHandler<T> handler, Event<byte[]> event) throws Exception {
        handler.handler().handle(payloads.read(event, handler.payload()), lent);
    }
}
