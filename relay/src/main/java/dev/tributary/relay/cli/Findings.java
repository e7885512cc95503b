package dev.tributary.relay.cli;

import dev.tributary.relay.setup.Finding;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/** Prints findings, each with its remedy below. */
final class Findings {
    private Findings() {}

    static void print(PrintWriter out, List<Finding> findings) {
        for (Finding finding : findings) {
            String mark = finding.severity() == Finding.Severity.OK
                    ? "ok"
                    : finding.severity().name().toUpperCase(Locale.ROOT);
            out.printf("  %-8s %s: %s%n", mark, finding.subject(), finding.message());
            if (!finding.remedy().isEmpty()) {
                out.printf("  %-8s -> %s%n", "", finding.remedy());
            }
        }
    }
}
