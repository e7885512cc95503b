package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.LocalPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** CPU time that processes have used, user and system; of any process of this machine, if it has Linux's {@code /proc}. */
final class CpuTime {
    /** Linux tells in these, whatever its own clock does. */
    private static final double TICKS_PER_SECOND = 100;

    private static final int USER_TIME = 11;
    private static final int SYSTEM_TIME = 12;

    private CpuTime() {}

    /** Seconds so far. */
    static double of(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            // The second field is the program's name in brackets, which may hold anything
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            return (Long.parseLong(fields[USER_TIME]) + Long.parseLong(fields[SYSTEM_TIME])) / TICKS_PER_SECOND;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Seconds so far of a process with one thread, such as each of PostgreSQL's: without the roundness of {@link #of}. */
    static double ofSingleThread(long pid) {
        try {
            String[] fields =
                    Files.readString(Path.of("/proc/" + pid + "/schedstat")).split(" ", -1);
            return Long.parseLong(fields[0]) / 1e9;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Seconds so far of a database's sessions. */
    static double ofBackends(LocalPostgres postgres, String url) throws SQLException {
        String database = url.substring(url.lastIndexOf('/') + 1);
        double seconds = 0;
        try (Connection connection = postgres.connect(postgres.url("postgres"));
                Statement statement = connection.createStatement();
                ResultSet backends =
                        statement.executeQuery("SELECT pid FROM pg_stat_activity WHERE datname = '" + database + "'")) {
            while (backends.next()) {
                seconds += ofSingleThread(backends.getLong(1));
            }
        }
        return seconds;
    }
}
