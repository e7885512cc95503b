package dev.tributary.samples.benchmarks;

import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * Says on which core this JVM runs and on which PostgreSQL, as long as it is open. To wake a process on another core takes a
 * virtual machine as long as a short statement, so that otherwise the time of a round trip tells above all where the
 * scheduler has put the two, which it may not change its mind about for minutes. Needs Linux and {@code taskset}.
 */
final class PinnedCores implements AutoCloseable {
    private final int cores = Runtime.getRuntime().availableProcessors(); // once pinned, it is one
    private final ProcessHandle server;

    private PinnedCores(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet backend = statement.executeQuery("SELECT pg_backend_pid()")) {
            backend.next();
            server = ProcessHandle.of(backend.getLong(1))
                    .flatMap(ProcessHandle::parent)
                    .orElseThrow();
        }
    }

    /** Both on the same: a round trip is what the two have to do, and nothing else. */
    static PinnedCores together(Connection connection) throws SQLException {
        PinnedCores pinned = new PinnedCores(connection);
        pinned.pin("0", "0");
        return pinned;
    }

    /** Each on its own, as if they were two machines, though near ones. */
    static PinnedCores apart(Connection connection) throws SQLException {
        PinnedCores pinned = new PinnedCores(connection);
        pinned.pin("0", pinned.cores > 1 ? "1" : "0");
        return pinned;
    }

    private void pin(String serverCores, String clientCores) {
        boolean done =
                pin(ProcessHandle.current(), clientCores) && pin(server, serverCores); // its children to be inherit it
        server.children().forEach(child -> pin(child, serverCores)); // unless they have just ended
        if (!done) {
            System.err.println("where client and server run is left to the scheduler, and round trips vary with it:"
                    + " there is no taskset");
        }
    }

    /** With all of its threads. */
    private static boolean pin(ProcessHandle process, String cores) {
        try {
            return new ProcessBuilder("taskset", "-acp", cores, Long.toString(process.pid()))
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void close() {
        String all = "0-" + (cores - 1);
        pin(all, all);
    }
}
