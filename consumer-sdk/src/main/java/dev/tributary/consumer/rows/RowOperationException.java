package dev.tributary.consumer.rows;

import java.sql.SQLException;

/** Row operations that could not be applied. The transaction they belong to has to be rolled back. */
public final class RowOperationException extends SQLException {
    private static final long serialVersionUID = 1;

    private final int event;

    RowOperationException(int event, String message, Exception cause) {
        super(message, cause instanceof SQLException sql ? sql.getSQLState() : null, cause);
        this.event = event;
    }

    /** Whose operation it is, as an index into the batch; -1 if it cannot be told. */
    public int event() {
        return event;
    }
}
