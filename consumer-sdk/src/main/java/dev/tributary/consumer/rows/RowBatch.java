package dev.tributary.consumer.rows;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The row operations of one transaction. Those declared are kept until {@link #flush}, which collapses them into few
 * statements. For who runs the handlers; not thread-safe.
 */
public final class RowBatch implements Rows {
    /** So many are kept; an event that declares more is flushed whole after it. */
    private static final int PENDING_MAX = 10_000;

    private final Connection connection;
    private final Tables tables;
    private final boolean oneByOne;
    private List<Operation> pending = new ArrayList<>();
    private int event = -1;
    private @Nullable String unfinished;

    /**
     * @param tables keeps what is known of the database's tables from one batch to the next
     * @param oneByOne applies the operations as they were declared: slow, but it tells which one fails, and succeeds
     *     whenever plain statements would
     */
    public RowBatch(Connection connection, Tables tables, boolean oneByOne) {
        this.connection = connection;
        this.tables = tables;
        this.oneByOne = oneByOne;
    }

    /** Says whose operations come next. */
    public void begin(int eventIndex) {
        event = eventIndex;
        unfinished = null;
    }

    @Override
    public Row table(String table) {
        checkFinished();
        unfinished = table;
        return new Row(table, event, this::declared);
    }

    private void declared(Operation operation) {
        unfinished = null;
        pending.add(operation);
    }

    /**
     * Ends the event's operations.
     *
     * @throws IllegalStateException if one was begun and then left
     */
    public void end() throws RowOperationException {
        checkFinished();
        if (pending.size() >= PENDING_MAX) {
            flush();
        }
    }

    private void checkFinished() {
        if (unfinished != null) {
            throw new IllegalStateException("a row operation on " + unfinished
                    + " was begun and does nothing: end it with upsert() or delete()");
        }
    }

    /**
     * Applies what is pending.
     *
     * @throws RowOperationException if that fails: the transaction is to be rolled back, and worth another try one by one
     */
    public void flush() throws RowOperationException {
        if (pending.isEmpty()) {
            return;
        }
        List<Operation> operations = pending;
        pending = new ArrayList<>();
        try {
            apply(operations);
        } catch (RowOperationException e) {
            tables.forget(); // they may have changed
            throw e;
        }
    }

    private void apply(List<Operation> operations) throws RowOperationException {
        NetChange net = new NetChange();
        for (Operation operation : operations) {
            try {
                Table table = tables.find(connection, operation.table());
                if (!net.fold(table, operation)) {
                    send(net, null);
                    net = new NetChange();
                    net.fold(table, operation);
                }
            } catch (SQLException | IllegalArgumentException e) {
                throw failed(operation, e);
            }
            if (oneByOne) {
                send(net, operation);
                net = new NetChange();
            }
        }
        send(net, null);
    }

    /** @param only what the change consists of; null if it is not a single operation */
    private void send(NetChange net, @Nullable Operation only) throws RowOperationException {
        try {
            net.send(connection);
        } catch (SQLException e) {
            throw only != null
                    ? failed(only, e)
                    : new RowOperationException(-1, "row operations: " + e.getMessage(), e);
        }
    }

    private static RowOperationException failed(Operation operation, Exception e) {
        return e instanceof RowOperationException already
                ? already
                : new RowOperationException(operation.event(), operation + ": " + e.getMessage(), e);
    }
}
