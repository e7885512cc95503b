package dev.tributary.relay;

import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.sink.Kafka;
import dev.tributary.relay.source.ChangeSource;
import dev.tributary.relay.source.PgOutputSource;
import dev.tributary.relay.source.PostgresDatabase;
import dev.tributary.relay.source.SourceDatabase;
import dev.tributary.relay.source.SourceDatabase.Server;
import dev.tributary.relay.source.debezium.DebeziumSource;
import java.sql.SQLException;
import java.util.concurrent.locks.LockSupport;

/** PostgreSQL, Kafka and the machine's clock, as they are configured. */
final class RealSurroundings implements Surroundings {
    private final SourceConfig source;
    private final Kafka kafka;

    RealSurroundings(SourceConfig source, Kafka kafka) {
        this.source = source;
        this.kafka = kafka;
    }

    @Override
    public SourceDatabase connect() throws SQLException {
        return new PostgresDatabase(source);
    }

    @Override
    public ChangeSource takeSlot(Server server, int epoch, long confirmedLsn) throws SQLException {
        return switch (source.engine()) {
            case PGOUTPUT -> new PgOutputSource(source, server, epoch, confirmedLsn);
            case DEBEZIUM -> new DebeziumSource(source, server, epoch, confirmedLsn);
        };
    }

    @Override
    public Kafka kafka() {
        return kafka;
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public void pause(long nanos) {
        LockSupport.parkNanos(nanos);
    }
}
