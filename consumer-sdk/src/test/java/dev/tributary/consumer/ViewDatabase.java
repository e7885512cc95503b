package dev.tributary.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.tributary.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A database with a view that shows every mistake: {@code total} is a sum, so that an event applied twice counts twice,
 * and {@code applied} has a row for each effect, in its order.
 */
public final class ViewDatabase implements AutoCloseable {
    private final LocalPostgres postgres;
    private final String url;
    private final HikariDataSource dataSource;
    /** For what tests ask, which must not wait for connections that subscriptions hold, nor fail for want of them. */
    private final HikariDataSource questions;

    public ViewDatabase(LocalPostgres postgres) {
        this(postgres, postgres.createDatabase("view"));
        makeTables();
    }

    /** Whose texts sort as ICU has it for that locale, from PostgreSQL 15 on. */
    public static ViewDatabase inLocale(LocalPostgres postgres, String icuLocale) {
        ViewDatabase database = new ViewDatabase(postgres, postgres.createDatabase("view", icuLocale));
        database.makeTables();
        return database;
    }

    private void makeTables() {
        execute(
                "CREATE TABLE total (aggregate_id text COLLATE \"C\" PRIMARY KEY, total bigint NOT NULL, last_sequence bigint)",
                "CREATE TABLE applied (n bigint GENERATED ALWAYS AS IDENTITY, source text, event_id text, aggregate_id text, sequence bigint)");
        try (Connection connection = dataSource.getConnection()) {
            ConsumerSchema.apply(connection);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private ViewDatabase(LocalPostgres postgres, String url) {
        this.postgres = postgres;
        this.url = url;
        this.dataSource = pool(url, 12, Duration.ofSeconds(2));
        this.questions = questions(url);
    }

    /** Each connection is tried before it is asked: a server that was killed and started again has ended it. */
    private static HikariDataSource questions(String url) {
        String unquestioned = "com.zaxxer.hikari.aliveBypassWindowMs";
        System.setProperty(unquestioned, "0");
        try {
            return pool(url, 4, Duration.ofSeconds(60));
        } finally {
            System.clearProperty(unquestioned);
        }
    }

    /** The same database with connections of its own. */
    public static ViewDatabase at(String url) {
        return new ViewDatabase(null, url);
    }

    private static HikariDataSource pool(String url, int connectionsMax, Duration patience) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setUsername(LocalPostgres.USER);
        config.setPassword(LocalPostgres.PASSWORD);
        config.setMaximumPoolSize(connectionsMax);
        config.setMinimumIdle(0);
        config.setConnectionTimeout(patience.toMillis());
        config.setInitializationFailTimeout(-1);
        return new HikariDataSource(config);
    }

    public String url() {
        return url;
    }

    public HikariDataSource dataSource() {
        return dataSource;
    }

    /** From now on all of the data source's connections have it, such as {@code repeatable read}. */
    public void defaultIsolation(String isolation) {
        String database = url.substring(url.lastIndexOf('/') + 1);
        execute("ALTER DATABASE \"" + database + "\" SET default_transaction_isolation = '" + isolation + "'");
        String since = strings("SELECT clock_timestamp()").get(0);
        SubscriptionBed.eventually(() -> {
            dataSource.getHikariPoolMXBean().softEvictConnections();
            assertThat(number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                            + " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
                            + " AND backend_start < '" + since + "'"))
                    .isZero();
        });
    }

    /** The tests' handler. */
    public static void apply(Event<Added> event, Connection connection) throws SQLException {
        try (PreparedStatement total = connection.prepareStatement(
                        "INSERT INTO total VALUES (?, ?, ?) ON CONFLICT (aggregate_id) DO UPDATE SET total = total.total + EXCLUDED.total, last_sequence = EXCLUDED.last_sequence");
                PreparedStatement applied = connection.prepareStatement(
                        "INSERT INTO applied (source, event_id, aggregate_id, sequence) VALUES (?, ?, ?, ?)")) {
            total.setString(1, event.aggregateId());
            total.setLong(2, event.payload().amount());
            total.setObject(3, event.sequence());
            total.executeUpdate();
            applied.setString(1, event.source());
            applied.setString(2, event.id());
            applied.setString(3, event.aggregateId());
            applied.setObject(4, event.sequence());
            applied.executeUpdate();
        }
    }

    public long appliedCount() {
        return number("SELECT count(*) FROM applied");
    }

    /** Event ids in the order of their effects. */
    public List<String> appliedIds() {
        return strings("SELECT event_id FROM applied ORDER BY n");
    }

    /** Per aggregate, the sequences in the order of their effects. */
    public Map<String, List<Long>> sequences() {
        Map<String, List<Long>> sequences = new TreeMap<>();
        query("SELECT aggregate_id, sequence FROM applied ORDER BY n", row -> sequences
                .computeIfAbsent(row.getString(1), id -> new ArrayList<>())
                .add(row.getLong(2)));
        return sequences;
    }

    public Map<String, Long> totals() {
        Map<String, Long> totals = new TreeMap<>();
        query("SELECT aggregate_id, total FROM total", row -> totals.put(row.getString(1), row.getLong(2)));
        return totals;
    }

    public long number(String sql) {
        long[] number = new long[1];
        query(sql, row -> number[0] = row.getLong(1));
        return number[0];
    }

    public List<String> strings(String sql) {
        List<String> strings = new ArrayList<>();
        query(sql, row -> strings.add(row.getString(1)));
        return strings;
    }

    public void execute(String... statements) {
        try (Connection connection = questions.getConnection();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private void query(String sql, RowReader reader) {
        try (Connection connection = questions.getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                reader.read(rows);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Puts its files where a tablespace has them. */
    public void moveTo(String tablespace) {
        administer(name(), "ALTER DATABASE \"" + name() + "\" SET TABLESPACE " + tablespace);
    }

    private String name() {
        return url.substring(url.lastIndexOf('/') + 1);
    }

    /** While nobody is connected to a database. */
    private void administer(String alone, String sql) {
        try (Connection connection = postgres.connect(postgres.url("postgres"));
                Statement statement = connection.createStatement()) {
            statement.execute("ALTER DATABASE \"" + alone + "\" ALLOW_CONNECTIONS false");
            statement.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '" + alone + "'");
            statement.execute(sql);
            statement.execute("ALTER DATABASE \"" + alone + "\" ALLOW_CONNECTIONS true");
            // Those of before would fail once more, and the queries of tests are not tried again
            dataSource.getHikariPoolMXBean().softEvictConnections();
            questions.getHikariPoolMXBean().softEvictConnections();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A copy of all that is in it now. Ends every connection, as does {@link Backup#putBack}. */
    public Backup backup() {
        return new Backup();
    }

    /** What the database was some time ago. */
    public final class Backup implements AutoCloseable {
        private final String copy = name() + "_backup";

        private Backup() {
            copy(name(), copy);
        }

        /** As if nothing had happened since. */
        public void putBack() {
            postgres.dropDatabase(name());
            copy(copy, name());
        }

        private void copy(String from, String to) {
            administer(from, "CREATE DATABASE \"" + to + "\" TEMPLATE \"" + from + "\"");
        }

        @Override
        public void close() {
            postgres.dropDatabase(copy);
        }
    }

    private interface RowReader {
        void read(ResultSet row) throws SQLException;
    }

    @Override
    public void close() {
        dataSource.close();
        questions.close();
        if (postgres != null) {
            postgres.dropDatabase(url);
        }
    }
}
