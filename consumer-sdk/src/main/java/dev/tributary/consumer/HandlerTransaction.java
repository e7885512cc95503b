package dev.tributary.consumer;

import dev.tributary.consumer.rows.RowBatch;
import dev.tributary.consumer.rows.RowOperationException;
import dev.tributary.consumer.rows.Rows;
import java.sql.Connection;

/** What handlers of either kind change the view with, in one transaction, one after the other. */
final class HandlerTransaction {
    private final Connection lent;
    private final RowBatch rows;

    HandlerTransaction(Connection lent, RowBatch rows) {
        this.lent = lent;
        this.rows = rows;
    }

    /** For plain JDBC, which sees all row operations declared so far. */
    Connection connection() throws RowOperationException {
        rows.flush();
        return lent;
    }

    /** For row operations. */
    Rows rows() {
        return rows;
    }
}
