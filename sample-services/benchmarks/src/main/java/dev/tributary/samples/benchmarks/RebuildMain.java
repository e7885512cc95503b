package dev.tributary.samples.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import dev.tributary.consumer.view.View;
import dev.tributary.consumer.view.ViewVersion;
import dev.tributary.localstack.LocalPostgres;
import java.util.Map;

/** A service with a view of so many versions, of which the last is to be built. Prints like {@link ApplyMain}. */
final class RebuildMain {
    static final String VIEW = "customers";
    /** A connection for each partition of two versions, and some for the view's own work. */
    private static final int CONNECTIONS_BESIDE_PARTITIONS = 4;

    private RebuildMain() {}

    @SuppressWarnings("resource") // for as long as the process lives
    public static void main(String[] args) throws Exception {
        String bootstrapServers = args[0];
        String topic = args[1];
        String url = args[2];
        int partitions = Integer.parseInt(args[3]);
        int version = Integer.parseInt(args[4]);
        int warmUp = Integer.parseInt(args[5]);
        int all = Integer.parseInt(args[6]);
        HikariDataSource pool = new HikariDataSource();
        pool.setJdbcUrl(url);
        pool.setUsername(LocalPostgres.USER);
        pool.setPassword(LocalPostgres.PASSWORD);
        pool.setMaximumPoolSize(2 * partitions + CONNECTIONS_BESIDE_PARTITIONS);
        View.Builder builder = View.builder(VIEW)
                .kafka(Map.of("bootstrap.servers", bootstrapServers))
                .dataSource(pool)
                .topics(topic);
        for (int number = 1; number <= version; number++) {
            builder.version(ViewVersion.of(
                    number,
                    "CREATE TABLE customer " + CustomerChanged.TABLE,
                    subscription ->
                            subscription.onRows(CustomerChanged.EVENT_TYPE, CustomerChanged.class, ApplyMain.rows())));
        }
        View view = builder.start();
        ApplyMain.print(() -> applied(view, version), warmUp);
        ApplyMain.print(() -> applied(view, version), all);
        ProducerMain.waitForTheEnd();
    }

    private static long applied(View view, int version) {
        return view.subscriptions().stream()
                .filter(each -> each.name().equals(VIEW + ".v" + version))
                .mapToLong(each -> each.status().totals().applied())
                .sum();
    }
}
