package dev.tributary.relay.source;

import dev.tributary.relay.config.OutboxLayout;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.RelayException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/**
 * Looks for events that the publication keeps from the stream: somebody has altered it, or made a table anew, which leaves the
 * publication with the old one. The log is decoded by the publication of its time, so mending it does not bring them back.
 */
final class HiddenEvents {
    /** Row filters exist since PostgreSQL 15, and their column with them. A partition's root is listed only if rows go by its name. */
    private static final String WHY =
            "SELECT wanted.name, CASE WHEN p.oid IS NULL THEN 'does not exist' WHEN NOT p.pubinsert THEN 'sends no inserts'"
                    + " WHEN t.tablename IS NULL THEN 'does not have table ' || wanted.name"
                    + " ELSE 'filters the rows of ' || wanted.name END"
                    + " FROM unnest(?) AS wanted (name) LEFT JOIN pg_publication p ON p.pubname = ?"
                    + " LEFT JOIN pg_publication_tables t ON t.pubname = p.pubname"
                    + " AND t.schemaname || '.' || t.tablename = wanted.name"
                    + " WHERE p.oid IS NULL OR NOT p.pubinsert OR t.tablename IS NULL"
                    + " OR to_jsonb(t) ->> 'rowfilter' IS NOT NULL LIMIT 1";

    /** A row that is altered gets another xmin, and one that is made anew another oid. */
    private static final String ROWS =
            "p.oid, p.xmin, (SELECT string_agg(c.oid || ':' || coalesce(r.oid, 0), ',' ORDER BY c.oid)"
                    + " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                    + " LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = c.oid"
                    + " WHERE n.nspname || '.' || c.relname = ANY (?))";
    /** Publications of schemas exist since PostgreSQL 15. */
    private static final String SCHEMAS =
            ", (SELECT string_agg(s.oid::text, ',' ORDER BY s.oid) FROM pg_publication_namespace s WHERE s.pnpubid = p.oid)";

    private static final int SCHEMAS_SINCE = 15;

    private HiddenEvents() {}

    /** What tells the publication from what it is once somebody has altered it for these tables, or has made one anew. */
    static String identity(SourceConfig source, Connection connection) throws SQLException {
        boolean schemas = connection.getMetaData().getDatabaseMajorVersion() >= SCHEMAS_SINCE;
        try (PreparedStatement query = connection.prepareStatement("SELECT concat_ws(' ', " + ROWS
                + (schemas ? SCHEMAS : "") + ") FROM pg_publication p WHERE p.pubname = ?")) {
            query.setArray(
                    1, connection.createArrayOf("text", source.layout().tables().toArray()));
            query.setString(2, source.publication());
            try (ResultSet row = query.executeQuery()) {
                return row.next() ? row.getString(1) : "none";
            }
        }
    }

    static void refuse(SourceConfig source, Connection connection) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(WHY)) {
            query.setArray(
                    1, connection.createArrayOf("text", source.layout().tables().toArray()));
            query.setString(2, source.publication());
            try (ResultSet row = query.executeQuery()) {
                if (row.next()) {
                    throw new RelayException.HistoryBroken(
                            "publication " + source.publication() + " " + row.getString(2)
                                    + ", so that events are kept from the relay: somebody has altered it, or made a table anew",
                            remedy(source));
                }
            }
        }
    }

    private static String remedy(SourceConfig source) {
        String mend = "while nobody writes events, mend it (`check` says how)";
        return source.layout().kind() == OutboxLayout.Kind.TRIBUTARY
                ? mend + "; then run `recover --new-epoch`, which publishes what is only in the tables"
                : mend + "; have the service publish anew what it has written meanwhile, and restart the relay";
    }
}
