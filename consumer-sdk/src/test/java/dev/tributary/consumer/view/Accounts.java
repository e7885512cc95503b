package dev.tributary.consumer.view;

import dev.tributary.consumer.Added;
import dev.tributary.consumer.Event;
import dev.tributary.consumer.EventHandler;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;

/**
 * A view's versions, which show every mistake: two tables that must agree, each of whose rows says of which version it is.
 * The second has the same columns in another order, and more of them.
 */
final class Accounts {
    private static final List<String> TABLES = List.of(
            "CREATE TABLE account (aggregate_id text PRIMARY KEY, total bigint NOT NULL, events bigint NOT NULL,"
                    + " shape int NOT NULL DEFAULT 1);"
                    + "CREATE TABLE applied (event_id text NOT NULL, shape int NOT NULL DEFAULT 1)",
            "CREATE TABLE account (shape int NOT NULL DEFAULT 2, events bigint NOT NULL, total bigint NOT NULL,"
                    + " largest bigint, aggregate_id text PRIMARY KEY);"
                    + "CREATE TABLE applied (shape int NOT NULL DEFAULT 2, event_id text NOT NULL);"
                    + "CREATE TABLE only_in_two (id int)");

    private Accounts() {}

    /** 1 or 2. */
    static ViewVersion version(int number) {
        return version(number, Accounts::apply);
    }

    static ViewVersion version(int number, EventHandler<Added> handler) {
        return ViewVersion.of(
                number, TABLES.get(number - 1), subscription -> subscription.on(Added.TYPE, Added.class, handler));
    }

    static void apply(Event<Added> event, Connection connection) throws SQLException {
        try (PreparedStatement account = connection.prepareStatement(
                        "INSERT INTO account (aggregate_id, total, events) VALUES (?, ?, 1) ON CONFLICT (aggregate_id)"
                                + " DO UPDATE SET total = account.total + EXCLUDED.total, events = account.events + 1");
                PreparedStatement applied = connection.prepareStatement("INSERT INTO applied (event_id) VALUES (?)")) {
            account.setString(1, event.aggregateId());
            account.setLong(2, event.payload().amount());
            account.executeUpdate();
            applied.setString(1, event.id());
            applied.executeUpdate();
        }
    }
}
