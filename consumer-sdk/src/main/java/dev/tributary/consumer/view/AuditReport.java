package dev.tributary.consumer.view;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/**
 * What comparing live tables with what their events make of them has come to. Immutable.
 *
 * @param live what was compared
 * @param positions the offsets that both had applied everything before, and nothing from on
 * @param tables what was found, table by table; empty if rows were not compared
 * @param differences the rows that differ, the first of them table by table
 * @param failures events that the rebuild could not apply, and the live tables have applied, or would have to
 * @param parked events that are parked in the live tables, so that they are in neither
 * @param notes what else has to be known to read it
 * @param took from the start of the rebuild to the last row compared
 */
public record AuditReport(
        LiveTables live,
        Map<TopicPartition, Long> positions,
        List<TableResult> tables,
        List<RowDifference> differences,
        List<FailedEvent> failures,
        long parked,
        List<String> notes,
        Duration took) {
    /**
     * An event that the rebuild could not apply.
     *
     * @param error what went wrong, in a line
     * @param waiting how many later events of its aggregate were not applied because of it
     */
    public record FailedEvent(EventTrace event, String error, long waiting) {}

    public AuditReport {
        positions = Map.copyOf(positions);
        tables = List.copyOf(tables);
        differences = List.copyOf(differences);
        failures = List.copyOf(failures);
        notes = List.copyOf(notes);
    }

    /** How many rows differ, also those not told of. */
    public long drifted() {
        return tables.stream().mapToLong(TableResult::drifted).sum();
    }

    /** Whether no row differs and no event failed. */
    public boolean clean() {
        return drifted() == 0 && failures.isEmpty();
    }

    /** For people, some lines. */
    public String text() {
        return new AuditText(this).toString();
    }
}
