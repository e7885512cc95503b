package dev.tributary.consumer.view;

import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.ViewDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** An instance to be killed. It builds; told to, it switches back and forth as fast as it can, saying {@code SWITCHED}. */
final class ViewProcess {
    private ViewProcess() {}

    /** Arguments: bootstrap servers, JDBC URL, view, topic, events per second, whether it switches. */
    public static void main(String[] args) throws InterruptedException {
        boolean switches = Boolean.parseBoolean(args[5]);
        View view = ViewBed.view(args[2], args[0], ViewDatabase.at(args[1]), args[3])
                .version(Accounts.version(1))
                .version(Accounts.version(2))
                .limits(ViewBed.SMALL)
                .buildEventsPerSecondMax(Long.parseLong(args[4]))
                .switchAutomatically(!switches)
                .start();
        int next = 2;
        while (true) {
            if (switches) {
                try {
                    view.switchTo(next, Duration.ofSeconds(5));
                    System.out.println("SWITCHED");
                    next = 3 - next;
                } catch (SubscriptionException | SQLException e) {
                    System.out.println(e.getMessage());
                }
            } else {
                LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
            }
        }
    }
}
