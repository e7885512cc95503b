package dev.tributary.consumer.view;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Readers that look at a view as services do, each on a connection of its own with prepared statements: never an error, a
 * mixture of two versions, tables that disagree, or less than before.
 */
final class Readers implements AutoCloseable {
    /** Leaves the machine something for those who write. */
    private static final Duration PAUSE = Duration.ofMillis(5);

    private final String url;
    private final String schema;
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicLong slowestNanos = new AtomicLong();
    private volatile boolean closing;

    final List<String> mistakes = new CopyOnWriteArrayList<>();
    final Set<Integer> shapes = new ConcurrentSkipListSet<>();
    final AtomicLong reads = new AtomicLong();

    /** How a reader uses transactions. */
    enum Manner {
        /** A statement at a time. */
        AUTO_COMMIT,
        /** Both tables by statements of their own, in a transaction that sees what is committed meanwhile. */
        READ_COMMITTED,
        /** The same, in a transaction that sees one moment. */
        REPEATABLE_READ
    }

    private Readers(String url, String schema) {
        this.url = url;
        this.schema = schema;
    }

    static Readers start(String url, String schema) {
        Readers readers = new Readers(url, schema);
        for (Manner manner : Manner.values()) {
            Thread thread = new Thread(() -> readers.run(manner), "reader-" + manner);
            readers.threads.add(thread);
            thread.start();
        }
        return readers;
    }

    private void run(Manner manner) {
        try (Connection connection = DriverManager.getConnection(url, "postgres", "postgres")) {
            connection.setAutoCommit(manner == Manner.AUTO_COMMIT);
            if (manner == Manner.REPEATABLE_READ) {
                connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            }
            long before = 0;
            while (!closing && mistakes.isEmpty()) {
                long begin = System.nanoTime();
                before = manner == Manner.AUTO_COMMIT
                        ? readAtOnce(connection, before)
                        : readInTurn(connection, manner, before);
                if (manner != Manner.AUTO_COMMIT) {
                    connection.commit();
                }
                slowestNanos.accumulateAndGet(System.nanoTime() - begin, Math::max);
                reads.incrementAndGet();
                LockSupport.parkNanos(PAUSE.toNanos());
            }
        } catch (SQLException e) {
            mistakes.add(manner + ": " + e.getSQLState() + " " + e.getMessage());
        }
    }

    private long readAtOnce(Connection connection, long before) throws SQLException {
        try (PreparedStatement query =
                        connection.prepareStatement("SELECT (SELECT coalesce(sum(events), 0)::bigint FROM "
                                + schema + ".account), (SELECT coalesce(max(shape), 0) FROM " + schema
                                + ".account), (SELECT count(*) FROM " + schema
                                + ".applied), (SELECT coalesce(max(shape), 0) FROM "
                                + schema + ".applied)");
                ResultSet row = query.executeQuery()) {
            row.next();
            check(Manner.AUTO_COMMIT, row.getLong(1), row.getInt(2), row.getLong(3), row.getInt(4), before, true);
            return row.getLong(1);
        }
    }

    private long readInTurn(Connection connection, Manner manner, long before) throws SQLException {
        long[] account = read(
                connection,
                "SELECT coalesce(sum(events), 0)::bigint, coalesce(max(shape), 0) FROM " + schema + ".account");
        long[] applied = read(connection, "SELECT count(*), coalesce(max(shape), 0) FROM " + schema + ".applied");
        check(
                manner,
                account[0],
                (int) account[1],
                applied[0],
                (int) applied[1],
                before,
                manner == Manner.REPEATABLE_READ);
        return account[0];
    }

    private static long[] read(Connection connection, String sql) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(sql);
                ResultSet row = query.executeQuery()) {
            row.next();
            return new long[] {row.getLong(1), row.getLong(2)};
        }
    }

    private void check(
            Manner manner, long events, int shape, long applied, int appliedShape, long before, boolean oneMoment) {
        String seen = manner + ": " + events + " events of shape " + shape + ", " + applied + " applied of shape "
                + appliedShape + ", before " + before;
        boolean agree = oneMoment ? events == applied : events <= applied;
        boolean sameVersion = shape == appliedShape || shape == 0;
        if (!agree || !sameVersion || events < before) {
            mistakes.add(seen);
        }
        shapes.add(shape);
    }

    long slowestMillis() {
        return slowestNanos.get() / 1_000_000;
    }

    @Override
    public void close() {
        closing = true;
        for (Thread thread : threads) {
            join(thread);
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
