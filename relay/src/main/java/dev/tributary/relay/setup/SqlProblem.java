package dev.tributary.relay.setup;

import dev.tributary.relay.config.SourceConfig;
import java.net.UnknownHostException;
import java.sql.SQLException;

/** Puts what PostgreSQL or its driver complains about into plain words, with what to do about it. */
final class SqlProblem {
    private static final String CONNECTION = "08";
    private static final String INVALID_PASSWORD = "28P01";
    private static final String INVALID_AUTHORIZATION = "28000";
    private static final String INVALID_CATALOG = "3D000";
    private static final String CANNOT_CONNECT_NOW = "57P03";
    private static final String TOO_MANY_CONNECTIONS = "53300";
    private static final String INSUFFICIENT_PRIVILEGE = "42501";
    private static final String LIMIT_EXCEEDED = "53400";
    private static final String NOT_IN_PREREQUISITE_STATE = "55000";
    private static final String LOCK_NOT_AVAILABLE = "55P03";

    private SqlProblem() {}

    static Finding of(String subject, SourceConfig source, SQLException e) {
        String state = e.getSQLState() == null ? "" : e.getSQLState();
        String at = source.displayUrl();
        String said = said(e);
        if (state.startsWith(CONNECTION)) {
            return Finding.failed(
                    subject,
                    "the database at " + at + " cannot be reached: " + said,
                    "Start it, or correct " + source.key("url")
                            + ", or open the way to it (listen_addresses, firewall)");
        }
        return switch (state) {
            case INVALID_PASSWORD, INVALID_AUTHORIZATION ->
                Finding.failed(
                        subject,
                        "the server refuses role '" + source.username() + "': " + said,
                        "Correct " + source.key("username") + " or " + source.key("password")
                                + ", create the role, or let it in by pg_hba.conf");
            case INVALID_CATALOG ->
                Finding.failed(
                        subject,
                        "there is no such database at " + at + ": " + said,
                        "Create it, or correct " + source.key("url"));
            case CANNOT_CONNECT_NOW ->
                Finding.failed(
                        subject, "the server at " + at + " takes no connections: " + said, "Wait until it is up");
            case TOO_MANY_CONNECTIONS ->
                Finding.failed(
                        subject,
                        "the server at " + at + " has no connection left: " + said,
                        "Raise max_connections or max_wal_senders, or end connections that nobody needs");
            case INSUFFICIENT_PRIVILEGE ->
                Finding.failed(
                        subject,
                        "role '" + source.username() + "' may not do this: " + said,
                        "Let a role that may, such as the tables' owner, run the command, or the SQL that"
                                + " 'relay init --dry-run' prints; or grant the right");
            case LIMIT_EXCEEDED ->
                Finding.failed(
                        subject,
                        "the server is at a limit: " + said,
                        "Drop replication slots that nobody reads, or raise max_replication_slots and restart it");
            case NOT_IN_PREREQUISITE_STATE ->
                Finding.failed(
                        subject,
                        "the server is not set up for it: " + said,
                        "'relay check' says what to change; usually ALTER SYSTEM SET wal_level = 'logical' and a restart");
            case LOCK_NOT_AVAILABLE ->
                Finding.failed(
                        subject,
                        "others hold the tables for too long: " + said,
                        "End the long transactions on schema tributary (pg_stat_activity) and run this again");
            default -> Finding.failed(subject, "PostgreSQL says: " + said, "");
        };
    }

    /** The driver keeps an unknown host's name in the cause, and gives some reasons over several lines. */
    private static String said(SQLException e) {
        Throwable cause = e.getCause();
        String more = cause instanceof UnknownHostException ? " (unknown host " + cause.getMessage() + ")" : "";
        return String.valueOf(e.getMessage()).replaceAll("\\s*\\R\\s*", "; ") + more;
    }
}
