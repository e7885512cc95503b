package dev.tributary.consumer;

import dev.tributary.consumer.SubscriptionConfig.TypeHandler;
import java.sql.Connection;

/**
 * The one way from an event's bytes to its handlers, for events from Kafka and for parked ones that are redriven. One
 * for each transaction.
 */
final class Dispatch implements Handlers.Call {
    private final Handlers handlers;
    private final Connection lent;

    Dispatch(SubscriptionConfig config, Connection connection) {
        this.handlers = config.handlers();
        this.lent = HandlerConnection.guard(
                connection, config.feed() == null ? null : config.feed().schema());
    }

    /** Whether anything may be handled of events of this type. */
    boolean handles(String type) {
        return handlers.knows(type);
    }

    /**
     * Has an event of a type that it {@link #handles} applied to the view.
     *
     * @throws NoHandlerException if upcasting makes something of it that has no handler and must not be passed over
     * @throws Exception whatever upcasters, its payload's reader or its handler throw
     */
    void handle(Event<byte[]> event) throws Exception {
        handlers.dispatch(event, this);
    }

    @Override
    public <T> void call(TypeHandler<T> handler, Event<T> event) throws Exception {
        handler.handler().handle(event, lent);
    }
}
