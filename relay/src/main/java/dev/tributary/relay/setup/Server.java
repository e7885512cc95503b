package dev.tributary.relay.setup;

import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** What the server itself must allow. */
final class Server {
    static final int MAJOR_VERSION_MIN = 14;

    private Server() {}

    static int majorVersion(Connection connection) throws SQLException {
        return connection.getMetaData().getDatabaseMajorVersion();
    }

    static Finding tooOld(int version) {
        return Finding.failed(
                "server", "PostgreSQL " + version + " is too old", "Upgrade it to " + MAJOR_VERSION_MIN + " or later");
    }

    static List<Finding> findings(Connection connection, boolean slotExists) throws SQLException {
        List<Finding> findings = new ArrayList<>();
        findings.add(
                Finding.ok("server", "PostgreSQL " + connection.getMetaData().getDatabaseProductVersion()));
        if (!Database.texts(connection, "SELECT 'standby' WHERE pg_is_in_recovery()")
                .isEmpty()) {
            findings.add(Finding.failed(
                    "server", "it is a standby, where no events are written", "Point the source's url at the primary"));
        }
        String walLevel = Database.setting(connection, "wal_level");
        findings.add(
                walLevel.equals("logical")
                        ? Finding.ok("wal_level", walLevel)
                        : Finding.failed(
                                "wal_level",
                                "is " + walLevel + ", and changes can be read only from logical",
                                "ALTER SYSTEM SET wal_level = 'logical' and restart the server (on managed servers,"
                                        + " switch on logical replication)"));
        if (!slotExists) {
            findings.add(free(connection, "max_replication_slots", "pg_replication_slots", "replication slots"));
        }
        return findings;
    }

    private static Finding free(Connection connection, String limit, String used, String what) throws SQLException {
        int max = Integer.parseInt(Database.setting(connection, limit));
        int taken = Database.texts(connection, "SELECT 1 FROM " + used).size();
        return taken < max
                ? Finding.ok(limit, (max - taken) + " of " + max + " " + what + " are free")
                : Finding.failed(
                        limit,
                        "all " + max + " " + what + " are in use",
                        "Drop slots that nobody reads (SELECT * FROM pg_replication_slots), or raise " + limit
                                + " and restart the server");
    }

    /** Without it a relay cannot tell that another one, or its own stream, is dead. */
    static Finding statistics(Connection connection) throws SQLException {
        return Database.texts(connection, "SELECT 'may' WHERE pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')")
                        .isEmpty()
                ? Finding.warning(
                        "statistics",
                        "the role may not see pg_stat_replication: a frozen relay is not replaced, a dead stream not"
                                + " noticed before the server's own time-outs",
                        "GRANT pg_read_all_stats to it")
                : Finding.ok("statistics", "the role may see pg_stat_replication");
    }

    /** With Debezium, only a message that comes back tells how far a quiet stream has come. */
    static Finding messages(Connection connection) throws SQLException {
        return Database.texts(connection, """
                        SELECT 'may' FROM pg_proc WHERE proname = 'pg_logical_emit_message'
                            AND proargtypes[2] = 'text'::regtype AND has_function_privilege(oid, 'EXECUTE')
                        """).isEmpty()
                ? Finding.failed(
                        "engine",
                        "the role may not write messages into the log, by which the debezium engine finds its place",
                        "GRANT EXECUTE ON FUNCTION pg_logical_emit_message(boolean, text, text, boolean) to it (without the"
                                + " last argument before PostgreSQL 17)")
                : Finding.ok("engine", "debezium");
    }

    /** Opens a connection of the kind that streams: better than guessing from catalogs who may, on whose cloud. */
    static Finding replication(SourceConfig source) {
        try (Connection connection = Database.connectForReplication(source);
                Statement statement = connection.createStatement()) {
            statement.execute("IDENTIFY_SYSTEM");
            return Finding.ok("replication", "role '" + source.username() + "' may replicate");
        } catch (SQLException e) {
            return switch (String.valueOf(e.getSQLState())) {
                case "42501" ->
                    Finding.failed(
                            "replication",
                            "role '" + source.username() + "' may not replicate",
                            "ALTER ROLE \"" + source.username()
                                    + "\" REPLICATION (on Amazon RDS: GRANT rds_replication)");
                case "53300" ->
                    Finding.failed(
                            "max_wal_senders",
                            "all WAL senders are in use",
                            "Raise max_wal_senders and restart the server, or stop replication that nobody needs (SELECT *"
                                    + " FROM pg_stat_replication)");
                default -> SqlProblem.of("replication", source, e);
            };
        }
    }
}
