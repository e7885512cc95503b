package dev.tributary.samples.demo;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.tributary.consumer.Event;
import dev.tributary.consumer.History;
import dev.tributary.consumer.Timeouts;
import dev.tributary.consumer.view.View;
import dev.tributary.consumer.view.ViewVersion;
import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import javax.sql.DataSource;

/** A service with a view of all events that there are: its first version from live topics, its second from a replay. */
final class ReplayedViewProcess {
    private static final String SCRIPT = "CREATE TABLE applied (event_id text PRIMARY KEY, aggregate text NOT NULL,"
            + " sequence bigint NOT NULL, UNIQUE (aggregate, sequence))";

    private ReplayedViewProcess() {}

    /** Runs it, as the arguments say, until it is killed. */
    public static void main(String[] args) throws InterruptedException {
        try (HikariDataSource database = pool(args[0]);
                View view = start(args[1], database, args[2], args[3], Long.parseLong(args[4]))) {
            new CountDownLatch(1).await();
            System.out.println(view.name());
        }
    }

    static JavaProcess fork(String url, String source, String replay, long eventsPerSecondMax) {
        return JavaProcess.main(ReplayedViewProcess.class)
                .jvmArgs("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                .args(url, LocalKafka.shared().bootstrapServers(), source, replay, Long.toString(eventsPerSecondMax))
                .outputHere()
                .start();
    }

    static HikariDataSource pool(String url) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setUsername(LocalPostgres.USER);
        config.setPassword(LocalPostgres.PASSWORD);
        config.setMaximumPoolSize(40);
        config.setMinimumIdle(0);
        return new HikariDataSource(config);
    }

    /** @param replay where version 2 has its history from; empty for no version 2 */
    static View start(String kafka, DataSource database, String source, String replay, long eventsPerSecondMax) {
        View.Builder builder = View.builder("totals")
                .kafka(Map.of("bootstrap.servers", kafka, "session.timeout.ms", 6_000, "metadata.max.age.ms", 500))
                .dataSource(database)
                .topics(source + ".left", source + ".right")
                .timeouts(Timeouts.ofDefaults().withRetryMax(Duration.ofMillis(500)))
                .buildEventsPerSecondMax(eventsPerSecondMax)
                .version(version(1));
        return (replay.isEmpty() ? builder : builder.version(version(2).with(History.replayed(replay)))).start();
    }

    private static ViewVersion version(int number) {
        return ViewVersion.of(number, SCRIPT + "; CREATE TABLE v" + number + " ()", subscription -> subscription
                .on("value.set.v1", byte[].class, ReplayedViewProcess::apply)
                .on("value.booked.v1", byte[].class, ReplayedViewProcess::apply));
    }

    /** Fails if the event was applied before, or the one before it was not. */
    private static void apply(Event<byte[]> event, Connection connection) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO applied SELECT ?, ?, ?"
                + " WHERE ? = 1 OR EXISTS (SELECT FROM applied WHERE aggregate = ? AND sequence = ?)")) {
            String aggregate = event.aggregateType() + "/" + event.aggregateId();
            long sequence = event.sequence() == null ? 0 : event.sequence();
            insert.setString(1, event.id());
            insert.setString(2, aggregate);
            insert.setLong(3, sequence);
            insert.setLong(4, sequence);
            insert.setString(5, aggregate);
            insert.setLong(6, sequence - 1);
            if (insert.executeUpdate() != 1) {
                throw new IllegalStateException(aggregate + ": " + sequence + " comes before the one that it follows");
            }
        }
    }
}
