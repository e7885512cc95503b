package dev.tributary.consumer;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;

/**
 * A subscriber to be killed and frozen. It says {@code CAUGHT} and holds at the event with the amount {@link #CATCH},
 * before or after its handler has returned, until a file appears.
 */
final class SubscriberProcess {
    static final long CATCH = 4711;

    /** Where it is held. */
    enum Hold {
        IN_HANDLER,
        BEFORE_COMMIT,
        NEVER
    }

    private static volatile boolean caught;

    private SubscriberProcess() {}

    /** Arguments: bootstrap servers, JDBC URL, subscription, topic, hold, file that lets it go. */
    public static void main(String[] args) {
        ViewDatabase view = ViewDatabase.at(args[1]);
        Hold hold = Hold.valueOf(args[4]);
        Path release = Path.of(args[5]);
        DataSource dataSource =
                hold == Hold.BEFORE_COMMIT ? holdingCommits(view.dataSource(), release) : view.dataSource();
        Subscription subscription = Subscription.builder(args[2])
                .kafka(SubscriptionBed.kafkaSettings(args[0]))
                .dataSource(dataSource)
                .topics(args[3])
                .timeouts(Timeouts.ofDefaults().withRetryMax(Duration.ofMillis(500)))
                .on(Added.TYPE, Added.class, (event, connection) -> {
                    ViewDatabase.apply(event, connection);
                    if (event.payload().amount() == CATCH) {
                        caught = true;
                        if (hold == Hold.IN_HANDLER) {
                            hold(release);
                        }
                    }
                })
                .start();
        String last = "";
        while (true) {
            String now = subscription.status().totals() + " "
                    + subscription.status().partitions().stream()
                            .map(partition -> partition.state() + " " + partition.reason())
                            .toList();
            if (!now.equals(last)) {
                System.out.println("STATUS " + now);
                last = now;
            }
            LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
        }
    }

    private static void hold(Path release) {
        System.out.println("CAUGHT");
        while (!Files.exists(release)) {
            LockSupport.parkNanos(Duration.ofMillis(10).toNanos());
        }
        System.out.println("RELEASED");
    }

    private static DataSource holdingCommits(DataSource dataSource, Path release) {
        return CommitHook.before(dataSource, () -> {
            if (caught) {
                caught = false;
                hold(release);
            }
        });
    }
}
