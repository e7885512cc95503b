package dev.tributary.consumer.view;

import dev.tributary.consumer.view.AuditReport.FailedEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** An {@link AuditReport} for people. */
final class AuditText {
    private final List<String> lines = new ArrayList<>();

    AuditText(AuditReport report) {
        lines.add(report.live().subscription() + ", tables in schema "
                + report.live().schema() + ", at "
                + report.positions().entrySet().stream()
                        .map(each -> each.getKey() + "-" + each.getValue())
                        .sorted()
                        .collect(Collectors.joining(", ")));
        for (TableResult table : report.tables()) {
            lines.add(table.table() + ": " + table.rows() + " rows, " + table.missing() + " missing, " + table.extra()
                    + " extra, " + table.different() + " different");
        }
        report.differences().forEach(this::difference);
        if (report.drifted() > report.differences().size()) {
            lines.add("... and " + (report.drifted() - report.differences().size()) + " more rows");
        }
        report.failures().forEach(this::failure);
        if (report.parked() > 0) {
            lines.add(report.parked() + " events are parked in the live view");
        }
        lines.addAll(report.notes());
        lines.add(summary(report) + ", " + report.took().toMillis() + " ms");
    }

    static String summary(AuditReport report) {
        return report.clean()
                ? "no difference"
                : report.drifted() + " rows differ, " + report.failures().size() + " events cannot be applied";
    }

    private void difference(RowDifference row) {
        lines.add(row.kind() + " " + row.table() + " " + row.key());
        row.columns().forEach(c -> lines.add("    " + c.column() + ": live " + c.live() + ", rebuilt " + c.rebuilt()));
        row.events().forEach(event -> lines.add("    by " + event));
    }

    private void failure(FailedEvent failure) {
        lines.add("cannot be applied, nor can " + failure.waiting() + " events behind it: " + failure.event());
        lines.add("    " + failure.error());
    }

    @Override
    public String toString() {
        return String.join(System.lineSeparator(), lines);
    }
}
