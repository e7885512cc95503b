package dev.tributary.consumer.view;

import dev.tributary.consumer.SubscriptionException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The schema of a rebuild that is only needed for a while. One process at a time has it, as long as its session lives, so that
 * a killed one is in nobody's way; what that has left is removed by the next one.
 */
final class Scratch {
    private static final Logger LOG = LoggerFactory.getLogger(Scratch.class);

    private final DataSource dataSource;
    private final String name;
    private final String schema;
    private final Connection session;

    private Scratch(DataSource dataSource, String name, String schema, Connection session) {
        this.dataSource = dataSource;
        this.name = name;
        this.schema = schema;
        this.session = session;
    }

    /**
     * Takes it, on a connection that it keeps until {@link #unlock}.
     *
     * @param name what is locked, and the name of the subscription that fills it
     * @throws SubscriptionException if somebody else has it
     */
    static Scratch lock(DataSource dataSource, String name, String schema) throws SQLException {
        Connection session = dataSource.getConnection();
        Scratch scratch = new Scratch(dataSource, name, schema, session);
        try {
            session.setAutoCommit(true);
            if (!scratch.ask("SELECT pg_try_advisory_lock(hashtext('tributary audit'), hashtext(?))")) {
                throw new SubscriptionException(name + " is being done already, in another process or thread");
            }
            return scratch;
        } catch (SQLException | RuntimeException e) {
            session.close();
            throw e;
        }
    }

    /** Gives it to whoever wants it next. */
    void unlock() throws SQLException {
        try (session) {
            ask("SELECT pg_advisory_unlock(hashtext('tributary audit'), hashtext(?))");
        }
    }

    private boolean ask(String sql) throws SQLException {
        try (PreparedStatement query = session.prepareStatement(sql)) {
            query.setString(1, name);
            try (ResultSet row = query.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }

    String name() {
        return name;
    }

    String schema() {
        return schema;
    }

    /**
     * With empty tables.
     *
     * @throws SubscriptionException if there is such a schema that is not one of ours
     */
    void create(List<String> scripts) throws SQLException {
        Transactions.run(dataSource, connection -> {
            if (VersionTables.exist(connection, schema)) {
                if (!mark().equals(comment(connection))) {
                    throw new SubscriptionException("there is a schema " + schema
                            + " that is not one of ours, and its name is needed for the rebuild; rename it");
                }
                LOG.info("{}: removing what an earlier one has left in schema {}", name, schema);
            }
            VersionTables.drop(connection, schema, name);
            VersionTables.create(connection, schema, scripts);
            try (Statement statement = connection.createStatement()) {
                statement.execute("COMMENT ON SCHEMA " + schema + " IS '" + mark().replace("'", "''") + "'");
            }
        });
    }

    private String mark() {
        return "Tributary: scratch of " + name;
    }

    private @Nullable String comment(Connection connection) throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement("SELECT obj_description(to_regnamespace(?), 'pg_namespace')")) {
            query.setString(1, schema);
            try (ResultSet row = query.executeQuery()) {
                row.next();
                return row.getString(1);
            }
        }
    }

    /** With the positions and parked events of the subscription that filled it. */
    void drop() throws SQLException {
        Transactions.run(dataSource, connection -> VersionTables.drop(connection, schema, name));
    }
}
