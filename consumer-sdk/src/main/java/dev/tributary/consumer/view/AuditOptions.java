package dev.tributary.consumer.view;

import dev.tributary.consumer.SubscriptionException;
import java.util.Set;

/**
 * How an audit is done. Immutable.
 *
 * @param leftOut columns that are not compared, because they do not come from events alone, such as the time of applying:
 *     {@code column} for all tables or {@code table.column}
 * @param eventsPerSecondMax how fast the rebuild may be; {@link Long#MAX_VALUE} for no limit
 * @param rowsMax how many rows that differ are told of, and repaired; all are counted
 */
public record AuditOptions(Set<String> leftOut, long eventsPerSecondMax, int rowsMax) {
    private static final AuditOptions DEFAULTS = new AuditOptions(Set.of(), Long.MAX_VALUE, 1_000);

    public AuditOptions {
        leftOut = Set.copyOf(leftOut);
        if (eventsPerSecondMax < 1 || rowsMax < 1) {
            throw new SubscriptionException(
                    "eventsPerSecondMax and rowsMax must be at least 1, not " + eventsPerSecondMax + " and " + rowsMax);
        }
    }

    /** All columns, without a limit, 1000 rows. */
    public static AuditOptions ofDefaults() {
        return DEFAULTS;
    }

    /** These, leaving out other columns. */
    public AuditOptions leavingOut(String... columns) {
        return new AuditOptions(Set.of(columns), eventsPerSecondMax, rowsMax);
    }

    /** These, with another {@link #eventsPerSecondMax}. */
    public AuditOptions withEventsPerSecondMax(long events) {
        return new AuditOptions(leftOut, events, rowsMax);
    }

    /** These, with another {@link #rowsMax}. */
    public AuditOptions withRowsMax(int rows) {
        return new AuditOptions(leftOut, eventsPerSecondMax, rows);
    }
}
