package dev.tributary.samples.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import dev.tributary.consumer.ConsumerSchema;
import dev.tributary.consumer.Subscription;
import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.stream.IntStream;

/**
 * A reader's database after a long time: its subscription has handled so many events of so many aggregates, and has a row
 * for each of these. What comes then is the same everywhere: events of some of them, by turns. Used by one thread.
 */
final class GrownView implements AutoCloseable {
    private static final Duration HISTORY_MAX = Duration.ofMinutes(20);
    private static final long LOOK_MILLIS = 5;
    private static final int ONE_PARTITION = 1;

    private final LocalPostgres postgres;
    private final LocalKafka kafka;
    private final String url;
    private final CustomerTopic topic;
    private final long handled;

    /**
     * Has a subscription handle the history, and end.
     *
     * @param behind how many events come behind that
     */
    GrownView(LocalPostgres postgres, LocalKafka kafka, String name, int events, int aggregates, int behind)
            throws Exception {
        this.postgres = postgres;
        this.kafka = kafka;
        url = postgres.createDatabaseNamed(name);
        try (Connection connection = postgres.connect(url)) {
            ConsumerSchema.apply(connection);
        }
        execute("CREATE TABLE customer " + CustomerChanged.TABLE);
        IntStream history = IntStream.range(0, events).map(i -> i % aggregates);
        IntStream then = IntStream.range(0, behind).map(i -> GrownDatabase.oneOf(aggregates, i));
        topic = CustomerTopic.fill(kafka, IntStream.concat(history, then).toArray(), name, ONE_PARTITION);
        handled = handle(events);
        execute("VACUUM ANALYZE");
        execute("CHECKPOINT"); // not while something is measured
    }

    /** Some more than that, until it has ended. */
    private long handle(int events) throws InterruptedException {
        long deadline = System.nanoTime() + HISTORY_MAX.toNanos();
        try (HikariDataSource pool = ApplyMain.pool(url)) {
            Subscription subscription =
                    ApplyMain.subscription(Applier.ROWS, kafka.bootstrapServers(), topic.name(), pool);
            try (subscription) {
                while (applied(subscription) < events) {
                    if (System.nanoTime() > deadline) {
                        throw new IllegalStateException("history is not handled in " + HISTORY_MAX);
                    }
                    Thread.sleep(LOOK_MILLIS);
                }
            }
            return applied(subscription);
        }
    }

    private static long applied(Subscription subscription) {
        return subscription.status().totals().applied();
    }

    /**
     * What it costs to go on.
     *
     * @param startSeconds a service's start until its first event is in the view
     * @param then the last of the events
     */
    record Cost(double startSeconds, ApplyMeasurement then) {}

    /** Has a service that is just started apply what comes behind history; of that, the last {@code measured} events count. */
    Cost goOn(int measured) throws Exception {
        long left = topic.events() - handled;
        if (left < 2L * measured) {
            throw new IllegalStateException("of what came behind history only " + left + " events are left");
        }
        JavaProcess.Builder service = JavaProcess.main(ApplyMain.class)
                .args(Applier.ROWS.name(), kafka.bootstrapServers(), topic.name(), url)
                .args("1", Long.toString(left - measured), Long.toString(left));
        long start = System.nanoTime();
        try (CountedProcess process = new CountedProcess(postgres, url, "the subscription", service)) {
            process.await();
            double startSeconds = (System.nanoTime() - start) / 1e9;
            ApplyMeasurement then = process.measure();
            topic.check("the subscription", postgres, url, "customer");
            return new Cost(startSeconds, then);
        }
    }

    private void execute(String sql) throws SQLException {
        try (Connection connection = postgres.connect(url);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Override
    public void close() throws SQLException {
        postgres.dropDatabase(url);
    }
}
