package dev.tributary.consumer;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Objects;

/**
 * The tables that a view's database needs for its subscriptions. Services with Flyway list {@code
 * classpath:tributary/consumer} among their locations instead.
 */
public final class ConsumerSchema {
    /** Where the scripts are on the class path, for Flyway's {@code locations}. */
    public static final String FLYWAY_LOCATION = "tributary/consumer";

    private static final List<String> SCRIPTS = List.of(
            "V0_2_1__tributary_consumer.sql",
            "V0_2_2__tributary_freshness.sql",
            "V0_2_3__tributary_view.sql",
            "V0_2_4__tributary_view_repair.sql");

    private static final String UNDEFINED_TABLE = "42P01";
    private static final String UNDEFINED_COLUMN = "42703";
    private static final String UNDEFINED_SCHEMA = "3F000";
    private static final String INSUFFICIENT_PRIVILEGE = "42501";

    private ConsumerSchema() {}

    /**
     * What to do about a failure in working with these tables, to be appended to what is said of it; empty if it is not
     * about them being there, as they have to be, and allowed to be used.
     */
    public static String remedy(SQLException failure) {
        String state = Objects.requireNonNullElse(failure.getSQLState(), "");
        return switch (state) {
            case UNDEFINED_TABLE, UNDEFINED_COLUMN, UNDEFINED_SCHEMA ->
                "; run the migrations in classpath:" + FLYWAY_LOCATION;
            case INSUFFICIENT_PRIVILEGE ->
                "; grant this role USAGE on schema tributary, and SELECT, INSERT, UPDATE and DELETE on all tables in it";
            default -> "";
        };
    }

    /** The migrations in their order; each may be run any number of times. */
    public static List<String> scripts() {
        return SCRIPTS.stream().map(ConsumerSchema::read).toList();
    }

    /**
     * Creates what is missing: in a transaction of its own on an auto-commit connection, else in the caller's.
     *
     * @throws SQLException if the database refuses
     */
    public static void apply(Connection connection) throws SQLException {
        boolean ownTransaction = connection.getAutoCommit();
        if (ownTransaction) {
            connection.setAutoCommit(false);
        }
        try (Statement statement = connection.createStatement()) {
            for (String script : scripts()) {
                statement.execute(script);
            }
        } catch (SQLException e) {
            if (ownTransaction) {
                connection.rollback();
            }
            throw e;
        }
        if (ownTransaction) {
            connection.commit();
            connection.setAutoCommit(true);
        }
    }

    private static String read(String script) {
        try (InputStream in = ConsumerSchema.class.getResourceAsStream("/" + FLYWAY_LOCATION + "/" + script)) {
            if (in == null) {
                throw new IllegalStateException("not in this jar: " + FLYWAY_LOCATION + "/" + script);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
