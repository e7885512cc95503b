package dev.tributary.localstack;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** PostgreSQL, ready for logical replication. Thread-safe. SQL that fails surfaces as {@link IllegalStateException}. */
public final class LocalPostgres extends LocalServer {
    /** A superuser. */
    public static final String USER = "postgres";

    public static final String PASSWORD = "postgres";

    private static final Map<String, String> SETTINGS = Map.ofEntries(
            Map.entry("wal_level", "logical"),
            Map.entry("max_wal_senders", "40"),
            Map.entry("max_replication_slots", "40"),
            Map.entry("max_prepared_transactions", "20"),
            Map.entry("max_connections", "200"),
            // What a killed server has written lives on in the operating system, which these tests never kill: fsync
            // would only cost time. A commit must be written before it is acknowledged all the same
            Map.entry("fsync", "off"),
            Map.entry("synchronous_commit", "on"));

    private static final class Shared {
        static final LocalPostgres INSTANCE = startOwn();
    }

    private final AtomicInteger databases = new AtomicInteger();

    private LocalPostgres(Server server) {
        super(server);
    }

    /** The one that everything in this JVM shares; started by the first caller. Not to be stopped or closed. */
    public static LocalPostgres shared() {
        return Shared.INSTANCE;
    }

    /** Starts one for the caller alone, to be stopped, killed and closed at will. */
    public static LocalPostgres startOwn() {
        return startOwn(Map.of());
    }

    /** Starts one for the caller alone, with server settings that add to, or replace, those all have. */
    public static LocalPostgres startOwn(Map<String, String> settings) {
        Map<String, String> all = new HashMap<>(SETTINGS);
        all.putAll(settings);
        LocalPostgres started = new LocalPostgres(Backend.current().postgres(all));
        started.start();
        return started;
    }

    /** The server's major version: 18, if the build does not say otherwise. */
    public int version() {
        try (Connection connection = connect(url("postgres"))) {
            return connection.getMetaData().getDatabaseMajorVersion();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The JDBC URL of a database by its name, without user and password. */
    public String url(String database) {
        return "jdbc:postgresql://127.0.0.1:" + port() + "/" + database;
    }

    /** Creates a fresh database, named {@code <prefix>_<n>}; returns its JDBC URL. */
    public String createDatabase(String prefix) {
        return createDatabaseNamed(prefix + "_" + databases.incrementAndGet());
    }

    /** Creates a database of exactly this name; returns its JDBC URL. */
    public String createDatabaseNamed(String name) {
        execute("CREATE DATABASE \"" + name + "\"");
        return url(name);
    }

    /** Creates a fresh database whose texts sort as ICU has it for a locale such as {@code en-US}. From PostgreSQL 15 on. */
    public String createDatabase(String prefix, String icuLocale) {
        String name = prefix + "_" + databases.incrementAndGet();
        execute("CREATE DATABASE \"" + name + "\" TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE '" + icuLocale
                + "'");
        return url(name);
    }

    /**
     * Has the texts of such a database sort in another way, as they may after an upgrade of ICU: indexes stay as they are.
     * Ends all connections to it.
     */
    public void changeLocale(String url, String icuLocale) {
        String name = url.substring(url.lastIndexOf('/') + 1);
        String column = version() < 17 ? "daticulocale" : "datlocale";
        execute(
                "UPDATE pg_database SET " + column + " = '" + icuLocale + "' WHERE datname = '" + name + "'",
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '" + name + "'");
    }

    /** Drops a database, with its replication slots, whoever is connected. Takes its JDBC URL or its name. */
    public void dropDatabase(String urlOrName) {
        String name = urlOrName.substring(urlOrName.lastIndexOf('/') + 1);
        execute(
                "SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots WHERE active AND database = '"
                        + name + "'",
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '" + name + "'",
                "DROP DATABASE IF EXISTS \"" + name + "\" WITH (FORCE)");
    }

    /** A new connection to the database at the URL, as {@link #USER}. */
    public Connection connect(String url) {
        try {
            return DriverManager.getConnection(url, USER, PASSWORD);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private void execute(String... statements) {
        try (Connection connection = connect(url("postgres"));
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
