package dev.tributary.consumer.view;

import dev.tributary.consumer.SubscriptionException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Has a version take over that has caught up, and knows what keeps it from that. Used by one thread. */
final class AutomaticSwitch {
    private static final Duration RETRY_FIRST = Duration.ofMillis(500);
    private static final Duration RETRY_MAX = Duration.ofSeconds(10);

    private final Commands commands;
    private final Fleet fleet;
    private final Map<Integer, String> withheld = new TreeMap<>();
    private long tryAt = System.nanoTime();
    private Duration retry = RETRY_FIRST;
    private @Nullable String refusal;

    AutomaticSwitch(Commands commands, Fleet fleet) {
        this.commands = commands;
        this.fleet = fleet;
    }

    /** True if one of these has taken over. */
    boolean attempt(Collection<VersionRow> candidates) throws SQLException {
        withheld.clear();
        boolean switched = false;
        for (VersionRow row : candidates) {
            long parked = fleet.parked(row.version());
            if (parked > 0) {
                withheld.put(row.version(), Switch.withheldForParked(parked));
            } else {
                switched |= tryIfDue(row.version());
                if (refusal != null) {
                    withheld.put(row.version(), refusal);
                }
            }
        }
        return switched;
    }

    private boolean tryIfDue(int version) throws SQLException {
        long now = System.nanoTime();
        if (now < tryAt) {
            return false;
        }
        tryAt = now + retry.toNanos();
        Duration doubled = retry.multipliedBy(2);
        retry = doubled.compareTo(RETRY_MAX) < 0 ? doubled : RETRY_MAX;
        try {
            refusal = commands.trySwitch(version, false);
        } catch (SubscriptionException e) {
            refusal = e.getMessage();
        }
        if (refusal == null) {
            retry = RETRY_FIRST;
        }
        return refusal == null;
    }

    /** Why a version that has caught up is not live; null if there is no reason. */
    @Nullable
    String withheld(int version) {
        return withheld.get(version);
    }
}
