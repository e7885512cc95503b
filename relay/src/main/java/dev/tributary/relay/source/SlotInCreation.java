package dev.tributary.relay.source;

import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.ReplicationConnection.NewSlot;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** Waits for a new slot, whose creation waits for all open transactions, and says for whom. */
final class SlotInCreation {
    private static final Duration TELL_INTERVAL = Duration.ofSeconds(10);

    private SlotInCreation() {}

    /** Creates it. */
    interface Creation {
        NewSlot run() throws SQLException;
    }

    /**
     * Returns when it is there.
     *
     * @param connection to look around with
     * @param waiting told from time to time what is waited for
     */
    static NewSlot await(Connection connection, Creation creation, Consumer<List<String>> waiting) throws SQLException {
        CompletableFuture<NewSlot> created = CompletableFuture.supplyAsync(() -> {
            try {
                return creation.run();
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        });
        while (true) {
            try {
                return created.get(TELL_INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                waiting.accept(openTransactions(connection));
            } catch (ExecutionException e) {
                for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                    if (cause instanceof SQLException problem) {
                        throw problem;
                    }
                }
                throw new IllegalStateException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new RelayException("interrupted while the slot was created", "run it again", e);
            }
        }
    }

    private static List<String> openTransactions(Connection connection) throws SQLException {
        List<String> open = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(
                        "SELECT 'process ' || pid || ' of ' || coalesce(usename, '?') || ', since ' || xact_start"
                                + " FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
                                + " UNION ALL SELECT 'prepared transaction ' || gid || ', since ' || prepared"
                                + " FROM pg_prepared_xacts")) {
            while (rows.next()) {
                open.add(rows.getString(1));
            }
        }
        return open;
    }
}
