package dev.tributary.samples.benchmarks;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.tributary.localstack.LocalPostgres;
import java.sql.SQLException;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;

/**
 * All contenders in one process, with a connection pool each, on one database: one writes at a time, and has its connections
 * only while it does. Used by one thread.
 */
final class WriteRace implements AutoCloseable {
    private final LocalPostgres postgres;
    private final WriteTables tables;
    private final AggregateSequences sequences = new AggregateSequences();
    private final Map<WriteContender, Entrant> entrants = new EnumMap<>(WriteContender.class);

    private record Entrant(HikariDataSource pool, EventWriter writer) {}

    WriteRace(LocalPostgres postgres, Collection<WriteContender> contenders, int clientsMax) throws SQLException {
        this.postgres = postgres;
        this.tables = WriteTables.create(postgres);
        for (WriteContender contender : contenders) {
            HikariDataSource pool = pool(contender, clientsMax);
            entrants.put(contender, new Entrant(pool, contender.writer(pool, sequences)));
        }
    }

    private HikariDataSource pool(WriteContender contender, int clientsMax) {
        HikariConfig config = new HikariConfig();
        config.setPoolName(contender.key());
        config.setJdbcUrl(tables.url());
        config.setUsername(LocalPostgres.USER);
        config.setPassword(LocalPostgres.PASSWORD);
        config.setAutoCommit(false);
        config.setMinimumIdle(0);
        config.setMaximumPoolSize(clientsMax + 1); // one for what a contender does by itself
        return new HikariDataSource(config);
    }

    /** Has one write for a while, and looks whether all of it is there. */
    WriteMeasurement run(WriteContender contender, WriteSetting setting, double warmUpSeconds, double seconds)
            throws Exception {
        tables.reset();
        sequences.reset();
        Entrant entrant = entrants.get(contender);
        if (entrant == null) {
            throw new IllegalArgumentException(contender.title() + " does not take part");
        }
        WriteClients clients = new WriteClients(postgres, tables.url(), entrant.writer(), setting);
        WriteClients.Written written = clients.write(warmUpSeconds, seconds);
        entrant.pool().getHikariPoolMXBean().softEvictConnections();
        tables.check(contender, written.transactions(), written.transactions() * setting.eventsPerTransaction());
        return written.measured();
    }

    @Override
    public void close() {
        for (Entrant entrant : entrants.values()) {
            entrant.writer().close();
            entrant.pool().close();
        }
    }
}
