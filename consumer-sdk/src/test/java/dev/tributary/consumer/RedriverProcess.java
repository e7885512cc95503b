package dev.tributary.consumer;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** A subscriber that redrives whatever is parked, slowly, to be killed; it says {@code REDRIVING} before each event. */
final class RedriverProcess {
    private RedriverProcess() {}

    /** Arguments: bootstrap servers, JDBC URL, subscription, topic. */
    public static void main(String[] args) throws Exception {
        ViewDatabase view = ViewDatabase.at(args[1]);
        Subscription subscription = Subscription.builder(args[2])
                .kafka(SubscriptionBed.kafkaSettings(args[0]))
                .dataSource(view.dataSource())
                .topics(args[3])
                .limits(Limits.ofDefaults().withBatchEventsMax(5))
                .on(Added.TYPE, Added.class, (event, connection) -> {
                    System.out.println("REDRIVING");
                    ViewDatabase.apply(event, connection);
                    LockSupport.parkNanos(Duration.ofMillis(2).toNanos());
                })
                .start();
        while (true) {
            subscription.parkedEvents().redriveAll();
        }
    }
}
