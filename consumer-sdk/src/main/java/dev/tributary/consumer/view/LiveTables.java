package dev.tributary.consumer.view;

import dev.tributary.consumer.SubscriptionException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Locale;
import javax.sql.DataSource;

/**
 * The tables that readers see, and what feeds them. Immutable.
 *
 * @param subscription the subscription that feeds them
 * @param schema the schema that they are in
 */
public record LiveTables(String subscription, String schema) {
    private static final int SCHEMA_CHARS_MAX = 63;

    /**
     * Those of a view's live version, as the database has it.
     *
     * @throws SubscriptionException if no version is live
     */
    public static LiveTables of(DataSource dataSource, String view) throws SQLException {
        return Transactions.get(dataSource, connection -> find(connection, view));
    }

    private static LiveTables find(Connection connection, String view) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT subscription, schema_name FROM tributary.view_version WHERE view = ? AND state = 'LIVE'")) {
            query.setString(1, view);
            try (ResultSet row = query.executeQuery()) {
                if (!row.next()) {
                    throw new SubscriptionException("no version of view " + view + " is live yet");
                }
                return new LiveTables(row.getString(1), row.getString(2));
            }
        }
    }

    /** Names the subscription of a rebuild for a purpose. */
    String subscriptionFor(String purpose) {
        return subscription + "." + purpose;
    }

    /** Names the schema of a rebuild for a purpose. */
    String schemaFor(String purpose) {
        String name = purpose + "_" + subscription.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9_]", "_");
        return name.substring(0, Math.min(SCHEMA_CHARS_MAX, name.length()));
    }
}
