package dev.tributary.consumer;

import dev.tributary.consumer.Feed.Fate;
import dev.tributary.consumer.Incoming.Decoded;
import dev.tributary.consumer.SubscriptionConfig.TypeHandler;
import dev.tributary.consumer.rows.RowBatch;
import dev.tributary.consumer.rows.Tables;
import java.sql.Connection;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one way from an event's bytes to its handlers, for events from Kafka and for parked ones that are redriven. One
 * for each transaction.
 */
final class Dispatch implements Handlers.Call {
    private static final Logger LOG = LoggerFactory.getLogger(Dispatch.class);

    private final Handlers handlers;
    private final HandlerTransaction transaction;
    private final RowBatch rows;
    private final boolean collects;
    private final @Nullable Feed feed;

    /** For single events: each one's row operations are applied at once. */
    Dispatch(SubscriptionConfig config, Connection connection) {
        this(config, connection, new RowBatch(connection, new Tables(), true), false);
    }

    /** @param rows collects row operations; to be flushed in the end */
    Dispatch(SubscriptionConfig config, Connection connection, RowBatch rows) {
        this(config, connection, rows, true);
    }

    private Dispatch(SubscriptionConfig config, Connection connection, RowBatch rows, boolean collects) {
        this.handlers = config.handlers();
        this.feed = config.feed();
        String schema = feed == null ? null : feed.schema();
        this.transaction = new HandlerTransaction(HandlerConnection.guard(connection, schema), rows);
        this.rows = rows;
        this.collects = collects;
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
    void handle(Decoded decoded) throws Exception {
        switch (feed == null ? Fate.APPLY : feed.fate(decoded.event())) {
            case APPLY -> apply(decoded);
            case PARK -> throw new SubscriptionException("this event is to be parked");
            case LEAVE_OUT -> LOG.debug("left out: {}", decoded.event().id());
        }
    }

    private void apply(Decoded decoded) throws Exception {
        handlers.dispatch(decoded, this);
        if (!collects) {
            rows.flush();
        }
    }

    @Override
    public <T> void call(TypeHandler<T> handler, Event<T> event) throws Exception {
        handler.handler().handle(event, transaction);
        rows.end();
    }
}
