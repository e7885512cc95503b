package dev.tributary.outbox.micronaut;

import dev.tributary.outbox.EventRejectedException;
import dev.tributary.outbox.NewEvent;
import dev.tributary.outbox.Outbox;
import dev.tributary.outbox.OutboxException;
import dev.tributary.outbox.wire.ReadToken;
import io.micronaut.context.annotation.EachBean;
import io.micronaut.context.annotation.Parameter;
import io.micronaut.context.annotation.Requires;
import io.micronaut.core.value.PropertyResolver;
import io.micronaut.transaction.jdbc.DataSourceTransactionManager;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Publishes events in the ambient {@code @Transactional} of one data source. Thread-safe.
 *
 * <p>There is one for each data source, under its name; inject it as it is for the default one, or with {@code
 * @Named("orders")}. A {@code @Transactional("orders")} and the outbox in it have to name the same data source.
 */
@EachBean(DataSourceTransactionManager.class)
@Requires(classes = DataSourceTransactionManager.class, beans = Outbox.class)
public final class TransactionalOutbox {
    private final DataSourceTransactionManager transactions;
    private final Outbox outbox;
    private final String dataSource;
    private final @Nullable String source;

    TransactionalOutbox(
            @Parameter String dataSource,
            DataSourceTransactionManager transactions,
            Outbox outbox,
            PropertyResolver properties) {
        this.transactions = transactions;
        this.outbox = outbox;
        this.dataSource = dataSource;
        this.source = properties
                .getProperty("tributary.outbox.sources." + dataSource, String.class)
                .orElse(null);
    }

    /**
     * Publishes events in the order given, all or none, in one round trip.
     *
     * @see #publish(List)
     */
    public List<UUID> publish(NewEvent... events) {
        return publish(List.of(events));
    }

    /**
     * Publishes events in list order, all or none, in one round trip.
     *
     * @return the events' ids in list order
     * @throws EventRejectedException if there is no transaction on this data source, or an event is not acceptable
     * @throws dev.tributary.outbox.SequenceConflictException if an event would not get the number that it was expected
     *     to; caught within the transaction, that is still usable
     * @throws OutboxException if the database refuses; the {@link SQLException} is the cause
     */
    public List<UUID> publish(List<NewEvent> events) {
        if (transactions.findTransactionStatus().isEmpty()) {
            throw new EventRejectedException("there is no transaction on this outbox's data source, so events and data"
                    + " could not be committed together: annotate the calling method with @Transactional, naming the"
                    + " same data source if there are several");
        }
        try {
            return outbox.publish(transactions.getConnection(), events);
        } catch (SQLException e) {
            throw new OutboxException("the database refused to store the events: " + e.getMessage(), e);
        }
    }

    /**
     * A token for everything that has committed in this data source by now, for readers elsewhere to wait for. To be called
     * when the {@code @Transactional} method has returned, by whoever has called it; takes a connection from the pool for one
     * round trip.
     *
     * @throws OutboxException if there is a transaction still, if the source has no name, or if the database refuses
     */
    public ReadToken token() {
        if (transactions.findTransactionStatus().isPresent()) {
            throw new OutboxException("the transaction has not committed yet, so nobody can wait for it: ask for the"
                    + " token outside of the @Transactional method");
        }
        try (Connection connection = transactions.getDataSource().getConnection()) {
            return source != null ? outbox.token(connection, source) : defaultToken(connection);
        } catch (SQLException e) {
            throw new OutboxException("the database gave no token: " + e.getMessage(), e);
        }
    }

    /** A token with another database's name would have readers wait for the wrong one. */
    private ReadToken defaultToken(Connection connection) throws SQLException {
        if (!dataSource.equals("default")) {
            throw new OutboxException("data source " + dataSource + " is not named as a source: set"
                    + " tributary.outbox.sources." + dataSource + " to the name that the relay has for its database");
        }
        return outbox.token(connection);
    }
}
