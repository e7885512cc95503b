package dev.tributary.consumer.rows;

import dev.tributary.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** A database of its own and a connection in a transaction, with batches applied as a subscription applies them. */
final class RowsDatabase implements AutoCloseable {
    private final String url = LocalPostgres.shared().createDatabase("rows");
    private final Connection connection = LocalPostgres.shared().connect(url);
    private final Tables tables = new Tables();
    private int oneByOne;

    RowsDatabase(String... statements) throws SQLException {
        connection.setAutoCommit(false);
        execute(statements);
    }

    void execute(String... statements) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
        connection.commit();
    }

    /** One event for each. Collapsed, and if the database refuses that, one by one. */
    void apply(Declares... events) throws SQLException {
        apply(List.of(events));
    }

    void apply(List<Declares> events) throws SQLException {
        try {
            applyOnce(events, false);
        } catch (RowOperationException e) {
            connection.rollback();
            oneByOne++;
            applyOneByOne(events);
        }
    }

    void applyOneByOne(List<Declares> events) throws SQLException {
        try {
            applyOnce(events, true);
        } catch (RowOperationException e) {
            connection.rollback();
            throw e;
        }
    }

    private void applyOnce(List<Declares> events, boolean separately) throws SQLException {
        RowBatch batch = new RowBatch(connection, tables, separately);
        for (int i = 0; i < events.size(); i++) {
            batch.begin(i);
            events.get(i).on(batch);
            batch.end();
        }
        batch.flush();
        connection.commit();
    }

    /** How many batches the database refused as a whole. */
    int refusedWhole() {
        return oneByOne;
    }

    /** Each row as PostgreSQL writes it. */
    List<String> rows(String query) throws SQLException {
        List<String> rows = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet found = statement.executeQuery("SELECT q::text FROM (" + query + ") AS q")) {
            while (found.next()) {
                rows.add(found.getString(1));
            }
        }
        connection.commit();
        return rows;
    }

    @Override
    public void close() throws SQLException {
        connection.close();
        LocalPostgres.shared().dropDatabase(url);
    }
}
