package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.relay.source.ReadAheadSocketFactory;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.postgresql.PGConnection;
import org.postgresql.PGProperty;
import org.postgresql.replication.PGReplicationStream;

/** Reads a slot as fast as the driver can and drops what it reads; keeps printing how many events there were. */
final class WalsenderMain {
    private static final long REPORT_INTERVAL_NANOS = 10_000_000;
    /** As the relay does under load: reading every message when it comes would keep the walsender from its work. */
    private static final long GATHER_NANOS = 1_000_000;

    private WalsenderMain() {}

    public static void main(String[] args) throws SQLException {
        try (Connection connection = DriverManager.getConnection(args[0], properties());
                PGReplicationStream stream = connection
                        .unwrap(PGConnection.class)
                        .getReplicationAPI()
                        .replicationStream()
                        .logical()
                        .withSlotName(args[1])
                        .withSlotOption("proto_version", 1)
                        .withSlotOption("publication_names", FilledDatabase.PUBLICATION)
                        .withSlotOption("binary", true)
                        .withAutomaticFlush(false)
                        .start()) {
            count(stream);
        }
    }

    private static void count(PGReplicationStream stream) throws SQLException {
        AtomicLong events = new AtomicLong();
        Thread reporter = new Thread(() -> report(events), "report");
        reporter.setDaemon(true);
        reporter.start();
        while (true) {
            ByteBuffer message = stream.readPending();
            if (message == null) {
                LockSupport.parkNanos(GATHER_NANOS);
            } else if (message.get() == 'I') {
                events.lazySet(events.getPlain() + 1);
            }
        }
    }

    private static void report(AtomicLong events) {
        while (true) {
            LockSupport.parkNanos(REPORT_INTERVAL_NANOS);
            System.out.println(events.get());
        }
    }

    private static Properties properties() {
        Properties properties = new Properties();
        PGProperty.USER.set(properties, LocalPostgres.USER);
        PGProperty.PASSWORD.set(properties, LocalPostgres.PASSWORD);
        PGProperty.REPLICATION.set(properties, "database");
        PGProperty.ASSUME_MIN_SERVER_VERSION.set(properties, "14");
        PGProperty.PREFER_QUERY_MODE.set(properties, "simple");
        PGProperty.SOCKET_FACTORY.set(properties, ReadAheadSocketFactory.class.getName());
        PGProperty.SOCKET_FACTORY_ARG.set(properties, "bare");
        return properties;
    }
}
