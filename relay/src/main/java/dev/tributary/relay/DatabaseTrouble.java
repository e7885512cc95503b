package dev.tributary.relay;

import dev.tributary.relay.config.SourceConfig;
import java.sql.SQLException;

/**
 * Why a source's database does not do what the relay asks, in plain words. The relay asks again in any case.
 *
 * @param reason what is wrong
 * @param remedy what to do about it
 */
record DatabaseTrouble(String reason, String remedy) {
    private static final String INSUFFICIENT_PRIVILEGE = "42501";
    private static final String INVALID_PASSWORD = "28P01";
    private static final String INVALID_AUTHORIZATION = "28000";
    private static final String BY_ITSELF = "; the relay goes on by itself";

    static DatabaseTrouble of(SourceConfig source, SQLException e) {
        String said = "database " + source.displayUrl() + ": " + e.getMessage();
        return switch (e.getSQLState() == null ? "" : e.getSQLState()) {
            case INSUFFICIENT_PRIVILEGE ->
                new DatabaseTrouble(
                        "role '" + source.username() + "' lacks a right in " + said,
                        "grant it (`check` says what the role needs)" + BY_ITSELF);
            case INVALID_PASSWORD, INVALID_AUTHORIZATION ->
                new DatabaseTrouble(
                        "role '" + source.username() + "' is not let into " + said,
                        "let it in (create the role, give it that password, pg_hba.conf)" + BY_ITSELF
                                + "; or correct " + source.key("username") + " and " + source.key("password")
                                + ", and restart the relay");
            default -> new DatabaseTrouble(said, "none if the database comes back; otherwise `check`");
        };
    }
}
