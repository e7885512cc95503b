package dev.tributary.consumer.view;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/** One side's rows of a table in the key's order, some at a time. Needs the connection for itself, in a transaction. */
final class RowStream implements AutoCloseable {
    private static final int ROWS_AT_A_TIME = 2_000;

    private final ComparedTable table;
    private final KeyOrder order;
    private final Statement statement;
    private final ResultSet rows;
    private @Nullable String @Nullable [] current;

    RowStream(Connection connection, String schema, ComparedTable table) throws SQLException {
        this.table = table;
        this.order = new KeyOrder(table);
        this.statement = connection.createStatement();
        statement.setFetchSize(ROWS_AT_A_TIME);
        rows = statement.executeQuery(table.select(schema));
        advance();
    }

    /** The row that it is at; null behind the last one. */
    @Nullable
    String @Nullable [] row() {
        return current;
    }

    void advance() throws SQLException {
        @Nullable String[] before = current;
        if (!rows.next()) {
            current = null;
            return;
        }
        @Nullable String[] next = texts(rows, table.columns().size());
        if (before != null && order.compare(before, next) > 0) {
            // Rather nothing than nonsense
            throw new SQLException("rows of " + table.name() + " do not come in their keys' order; is the database's"
                    + " encoding something else than UTF8?");
        }
        current = next;
    }

    static @Nullable String[] texts(ResultSet row, int columns) throws SQLException {
        @Nullable String[] texts = new @Nullable String[columns];
        for (int i = 0; i < columns; i++) {
            texts[i] = row.getString(i + 1);
        }
        return texts;
    }

    @Override
    public void close() throws SQLException {
        statement.close();
    }
}
