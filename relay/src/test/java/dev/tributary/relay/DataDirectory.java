package dev.tributary.relay;

import dev.tributary.localstack.LocalPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Comparator;
import java.util.stream.Stream;

/** A server's files, to be copied while it is stopped: for backups that are put back, and for standbys. */
record DataDirectory(Path path) {

    /** The directory of a running server. */
    static DataDirectory of(LocalPostgres running) {
        try (Connection connection = running.connect(running.url("postgres"));
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SHOW data_directory")) {
            row.next();
            return new DataDirectory(Path.of(row.getString(1)));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Both servers must be stopped. */
    void replaceBy(DataDirectory other) {
        delete();
        other.copyTo(path);
    }

    DataDirectory copyTo(Path to) {
        run("cp", "-a", path.toString(), to.toString());
        return new DataDirectory(to);
    }

    void delete() {
        run("rm", "-rf", path.toString());
    }

    /** Makes a copy of a primary its standby, which takes over the primary's failover slots when asked to. */
    void follow(LocalPostgres primary, String database, String physicalSlot) {
        try {
            Files.createFile(path.resolve("standby.signal"));
            try (Stream<Path> slots = Files.walk(path.resolve("pg_replslot"))) {
                slots.sorted(Comparator.reverseOrder())
                        .filter(file -> !file.endsWith("pg_replslot"))
                        .forEach(file -> file.toFile().delete());
            }
            Files.writeString(
                    path.resolve("postgresql.auto.conf"),
                    "primary_conninfo = 'host=127.0.0.1 port=" + primary.port() + " user=" + LocalPostgres.USER
                            + " dbname=" + database + "'\nprimary_slot_name = '" + physicalSlot
                            + "'\nhot_standby_feedback = on\n",
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void run(String... command) {
        try {
            if (new ProcessBuilder(command).inheritIO().start().waitFor() != 0) {
                throw new IllegalStateException(String.join(" ", command) + " failed");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
