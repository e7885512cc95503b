package dev.tributary.consumer.view;

import dev.tributary.consumer.Limits;
import dev.tributary.consumer.SubscriptionBed;
import dev.tributary.consumer.Timeouts;
import dev.tributary.consumer.ViewDatabase;
import java.util.Set;

/** An auditor to be killed. */
final class AuditorProcess {
    private AuditorProcess() {}

    /** Arguments: bootstrap servers, JDBC URL, subscription, topic, events per second. */
    public static void main(String[] args) throws Exception {
        ViewDatabase view = ViewDatabase.at(args[1]);
        Surroundings surroundings = new Surroundings(
                SubscriptionBed.kafkaSettings(args[0]),
                view.dataSource(),
                Set.of(args[3]),
                Limits.ofDefaults().withBatchEventsMax(10),
                Timeouts.ofDefaults(),
                subscription -> {});
        AuditReport report = new Audit(
                        surroundings,
                        new LiveTables(args[2], "public"),
                        AuditOptions.ofDefaults().withEventsPerSecondMax(Long.parseLong(args[4])))
                .run(AuditIT.TOTALS);
        System.out.println("DONE " + report.clean());
        System.exit(0);
    }
}
