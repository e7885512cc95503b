package dev.tributary.outbox;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/**
 * The tables, views and functions of the write side, as SQL scripts. They may run any number of times, by Flyway, by
 * {@link #apply} or by hand.
 */
public final class OutboxSchema {
    /** Where the scripts are on the class path, for Flyway's {@code locations}. */
    public static final String FLYWAY_LOCATION = "tributary/outbox";

    /** Beside Flyway's location: who migrates a service's tables need not be allowed to create roles. */
    private static final String ROLES = "/tributary/roles.sql";

    private static final List<String> SCRIPTS = List.of(
            "V0_1_1__tributary_outbox.sql",
            "V0_1_2__tributary_dead_letter.sql",
            "V0_1_3__tributary_event_store.sql",
            "V0_1_4__tributary_retention.sql",
            "V0_1_5__tributary_outbox_dropped.sql");

    private OutboxSchema() {}

    /** The scripts' SQL, in the order in which to run them. */
    public static List<String> scripts() {
        return SCRIPTS.stream().map(OutboxSchema::read).toList();
    }

    /**
     * SQL that creates the roles {@code tributary_writer}, {@code tributary_reader} and {@code tributary_relay}, or grants them
     * what they lack. Takes the tables to be there, and a role that may create roles and grant rights on them. May run any
     * number of times.
     */
    public static String roles() {
        return readPath(ROLES);
    }

    /**
     * Runs all scripts; the connection's transaction mode decides whether they are committed.
     *
     * @throws SQLException if the user may not create a schema, or the database refuses otherwise
     */
    public static void apply(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String script : scripts()) {
                statement.execute(script);
            }
        }
    }

    private static String read(String name) {
        return readPath("/" + FLYWAY_LOCATION + "/" + name);
    }

    private static String readPath(String path) {
        try (InputStream script = OutboxSchema.class.getResourceAsStream(path)) {
            if (script == null) {
                throw new FileNotFoundException(path);
            }
            return new String(script.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("outbox-core's jar is incomplete", e);
        }
    }
}
