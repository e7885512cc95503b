package dev.tributary.samples.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import dev.tributary.consumer.ConsumerSchema;
import dev.tributary.consumer.Subscription;
import dev.tributary.localstack.LocalPostgres;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;

/** A view kept by the consumer SDK as a service would; notes when each event's row is committed, so that all can see it. */
final class VisibleView implements LatencyBenchmark.Reader {
    private final HikariDataSource pool = new HikariDataSource();
    private final Latencies latencies;
    /** A batch is handled and committed by one thread. */
    private final ThreadLocal<List<Integer>> uncommitted = ThreadLocal.withInitial(ArrayList::new);

    private final Subscription subscription;

    VisibleView(LocalPostgres postgres, String bootstrapServers, String topic, Latencies latencies)
            throws SQLException {
        this.latencies = latencies;
        pool.setJdbcUrl(postgres.createDatabase("view"));
        pool.setUsername(LocalPostgres.USER);
        pool.setPassword(LocalPostgres.PASSWORD);
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement()) {
            ConsumerSchema.apply(connection);
            statement.execute("CREATE TABLE seen (number int PRIMARY KEY, payload text)");
        }
        subscription = Subscription.builder("latency")
                .kafka(Map.of("bootstrap.servers", bootstrapServers))
                .dataSource(watched())
                .topics(topic)
                .on(Workload.EVENT_TYPE, byte[].class, (event, connection) -> {
                    int number = Integer.parseInt(event.aggregateId());
                    try (PreparedStatement insert =
                            connection.prepareStatement("INSERT INTO seen VALUES (?, convert_from(?, 'UTF8'))")) {
                        insert.setInt(1, number);
                        insert.setBytes(2, event.payload());
                        insert.executeUpdate();
                    }
                    uncommitted.get().add(number);
                })
                .start();
    }

    /** The pool's connections, which tell when they have committed. */
    private DataSource watched() {
        return proxy(DataSource.class, pool, (method, result) -> {
            if (!method.equals("getConnection")) {
                return result;
            }
            Connection connection = (Connection) result;
            return proxy(Connection.class, connection, (called, value) -> {
                if (called.equals("commit")) {
                    long now = System.nanoTime();
                    uncommitted.get().forEach(number -> latencies.arrived(number, now));
                    uncommitted.get().clear();
                } else if (called.equals("rollback")) {
                    uncommitted.get().clear();
                }
                return value;
            });
        });
    }

    private interface After {
        Object done(String method, Object result);
    }

    @SuppressWarnings("unchecked")
    private static <T> T proxy(Class<T> type, T target, After after) {
        return (T) Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> {
            try {
                return after.done(method.getName(), method.invoke(target, arguments));
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        });
    }

    Subscription subscription() {
        return subscription;
    }

    @Override
    public void awaitAll() {
        latencies.awaitAll();
    }

    @Override
    public void close() {
        subscription.close();
        pool.close();
    }
}
