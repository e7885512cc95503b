package dev.tributary.samples.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import dev.tributary.consumer.EventHandler;
import dev.tributary.consumer.RowsHandler;
import dev.tributary.consumer.SequenceGap;
import dev.tributary.consumer.Subscription;
import dev.tributary.localstack.LocalPostgres;
import java.sql.PreparedStatement;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Map;
import java.util.function.LongSupplier;
import javax.sql.DataSource;

/** One {@link Applier} at work. Prints how many events it has put into the database when it passes each of some numbers. */
final class ApplyMain {
    private static final long LOOK_INTERVAL_MS = 2;

    private ApplyMain() {}

    public static void main(String[] args) throws Exception {
        Applier applier = Applier.valueOf(args[0]);
        String bootstrapServers = args[1];
        String topic = args[2];
        String url = args[3];
        LongSupplier applied =
                switch (applier) {
                    case ROWS, ROWS_WITHOUT_GAPS, JDBC -> subscription(applier, bootstrapServers, topic, url);
                    case BARE, COPY, INBOX -> BareLoop.start(applier, bootstrapServers, topic, url);
                    case DEBEZIUM_SINK -> DebeziumSink.start(bootstrapServers, topic, url);
                };
        for (String number : Arrays.asList(args).subList(4, args.length)) {
            print(applied, Integer.parseInt(number));
        }
        ProducerMain.waitForTheEnd();
    }

    static void print(LongSupplier applied, int atLeast) throws InterruptedException {
        long now = applied.getAsLong();
        while (now < atLeast) {
            Thread.sleep(LOOK_INTERVAL_MS);
            now = applied.getAsLong();
        }
        System.out.println(now);
    }

    @SuppressWarnings("resource") // for as long as the process lives
    private static LongSupplier subscription(Applier applier, String bootstrapServers, String topic, String url) {
        Subscription subscription = subscription(applier, bootstrapServers, topic, pool(url));
        return () -> subscription.status().totals().applied();
    }

    static HikariDataSource pool(String url) {
        HikariDataSource pool = new HikariDataSource();
        pool.setJdbcUrl(url);
        pool.setUsername(LocalPostgres.USER);
        pool.setPassword(LocalPostgres.PASSWORD);
        return pool;
    }

    /** As the documentation shows it, with the defaults. */
    static Subscription subscription(Applier applier, String bootstrapServers, String topic, DataSource pool) {
        Subscription.Builder builder = Subscription.builder("apply")
                .kafka(Map.of("bootstrap.servers", bootstrapServers))
                .dataSource(pool)
                .topics(topic);
        if (applier == Applier.JDBC) {
            builder.on(CustomerChanged.EVENT_TYPE, CustomerChanged.class, plain());
        } else {
            builder.onRows(CustomerChanged.EVENT_TYPE, CustomerChanged.class, rows());
        }
        if (applier == Applier.ROWS_WITHOUT_GAPS) {
            builder.onSequenceGap(SequenceGap.IGNORE);
        }
        return builder.start();
    }

    static RowsHandler<CustomerChanged> rows() {
        return (event, rows) -> rows.table("customer")
                .key("customer_id", event.payload().customerId())
                .set("name", event.payload().name())
                .set("email", event.payload().email())
                .set("total_cents", event.payload().totalCents())
                .set("changed_at", event.payload().changedAt())
                .upsert();
    }

    private static EventHandler<CustomerChanged> plain() {
        return (event, connection) -> {
            try (PreparedStatement upsert = connection.prepareStatement(CustomerChanged.UPSERT)) {
                set(upsert, event.payload());
                upsert.executeUpdate();
            }
        };
    }

    static void set(PreparedStatement statement, CustomerChanged customer) throws java.sql.SQLException {
        statement.setString(1, customer.customerId());
        statement.setString(2, customer.name());
        statement.setString(3, customer.email());
        statement.setLong(4, customer.totalCents());
        statement.setObject(5, customer.changedAt().atOffset(ZoneOffset.UTC));
    }
}
