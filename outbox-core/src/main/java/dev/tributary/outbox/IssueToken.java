package dev.tributary.outbox;

import dev.tributary.outbox.wire.ReadToken;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/**
 * Asks where the log ends, which is behind everything that has committed. Not where it ends on disk: a commit with {@code
 * synchronous_commit = off} may not be there yet. What the log belongs to is asked each time, since a failover changes it
 * between two connections.
 */
final class IssueToken {
    private static final String SQL = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint,"
            + " left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), system_identifier::text,"
            + " floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, pg_current_xact_id_if_assigned() IS NOT NULL"
            + " FROM pg_control_system()";
    /** object_not_in_prerequisite_state: a standby has no log of its own. */
    private static final String STANDBY = "55000";

    private IssueToken() {}

    static ReadToken issue(Connection connection, String source) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(SQL);
                ResultSet row = query.executeQuery()) {
            row.next();
            if (row.getBoolean(5)) {
                throw new OutboxException(
                        "the transaction has not committed yet, so nobody can wait for it: commit, then ask for the token");
            }
            return ReadToken.of(new ReadToken.Write(
                    source,
                    row.getString(3),
                    Integer.parseUnsignedInt(row.getString(2), 16),
                    row.getLong(1),
                    row.getLong(4)));
        } catch (SQLException e) {
            if (STANDBY.equals(e.getSQLState())) {
                throw new OutboxException(
                        "the connection leads to a standby, and a token has to come from the primary that was written to",
                        e);
            }
            throw e;
        }
    }
}
