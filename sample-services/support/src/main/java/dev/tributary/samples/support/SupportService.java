package dev.tributary.samples.support;

import dev.tributary.consumer.micronaut.Subscriptions;
import dev.tributary.consumer.view.AuditCommand;
import dev.tributary.consumer.view.AuditOptions;
import dev.tributary.consumer.view.ViewVersion;
import io.micronaut.context.ApplicationContext;
import io.micronaut.runtime.Micronaut;
import java.util.Arrays;
import java.util.Map;

/**
 * Answers what a customer asks about: who they are, what they ordered, where it is. {@code java -jar support.jar audit
 * [--repair]} finds out whether the view is what the events make of it, while the service runs elsewhere.
 */
public final class SupportService {
    private SupportService() {}

    public static void main(String[] args) {
        if (args.length > 0 && args[0].equals("audit")) {
            System.exit(audit(Arrays.copyOfRange(args, 1, args.length)));
        }
        Micronaut.run(SupportService.class, args);
    }

    private static int audit(String... arguments) {
        try (ApplicationContext context = ApplicationContext.builder(SupportService.class)
                .properties(Map.of("tributary.subscriptions.support-customer-view.enabled", false))
                .start()) {
            return audit(context.getBean(Subscriptions.class)).run(System.out, arguments);
        }
    }

    static AuditCommand audit(Subscriptions subscriptions) {
        return subscriptions.audit(
                "support-customer-view",
                "public",
                ViewVersion.script("db/migration/V1__customer_view.sql"),
                AuditOptions.ofDefaults().leavingOut("applied_at"));
    }
}
