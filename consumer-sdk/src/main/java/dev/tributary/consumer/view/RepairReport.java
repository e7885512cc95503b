package dev.tributary.consumer.view;

import java.util.List;

/**
 * What a repair has come to. Immutable.
 *
 * @param audit what had been found
 * @param repaired rows that are as they should be now
 * @param healed rows that were, when it came to it
 * @param refused why nothing was repaired; empty if that is not so
 */
public record RepairReport(AuditReport audit, List<RowDifference> repaired, long healed, String refused) {
    public RepairReport {
        repaired = List.copyOf(repaired);
    }

    /** Whether the view is what its events make of it now, as far as was found. */
    public boolean clean() {
        return refused.isEmpty();
    }
}
