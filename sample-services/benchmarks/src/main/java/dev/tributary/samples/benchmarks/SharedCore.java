package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.SystemCommand;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * Has this JVM and PostgreSQL share a core as long as it is open, so that a round trip takes what the two have to do, and nothing
 * else. To wake a process on another core takes a virtual machine as long as a short statement, so that otherwise the time of
 * a round trip tells above all where the scheduler has put the two, which it may not change its mind about for minutes. Needs
 * Linux and {@code taskset}.
 */
final class SharedCore implements AutoCloseable {
    private final int cores = Runtime.getRuntime().availableProcessors(); // once pinned, it is one
    private final ProcessHandle server;

    private SharedCore(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet backend = statement.executeQuery("SELECT pg_backend_pid()")) {
            backend.next();
            server = ProcessHandle.of(backend.getLong(1))
                    .flatMap(ProcessHandle::parent)
                    .orElseThrow();
        }
    }

    static SharedCore with(Connection connection) throws SQLException {
        SharedCore pinned = new SharedCore(connection);
        pinned.pin("0");
        return pinned;
    }

    private void pin(String where) {
        boolean done = pin(ProcessHandle.current(), where) && pin(server, where); // its children to be inherit it
        server.children().forEach(child -> pin(child, where)); // unless they have just ended
        if (!done) {
            System.err.println("where client and server run is left to the scheduler, and round trips vary with it:"
                    + " there is no taskset");
        }
    }

    /** With all of its threads. */
    private static boolean pin(ProcessHandle process, String where) {
        return SystemCommand.succeeds("taskset", "-acp", where, Long.toString(process.pid()));
    }

    @Override
    public void close() {
        pin("0-" + (cores - 1));
    }
}
