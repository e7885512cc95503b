package dev.tributary.relay.cli;

import dev.tributary.relay.setup.Finding;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;

/** Prints findings, each with its remedy below it. */
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

    /** Says that a command has come to nothing, and why; returns its exit code. */
    static int failed(CommandSpec command, String outcome, List<Finding> why) {
        PrintWriter err = command.commandLine().getErr();
        err.println(outcome);
        print(err, why);
        err.flush();
        return ExitCode.SOFTWARE;
    }

    /** The same, where there is one finding, about the command itself. */
    static int failed(CommandSpec command, String outcome, String reason, String remedy) {
        return failed(command, outcome, List.of(new Finding(Finding.Severity.FAILED, command.name(), reason, remedy)));
    }
}
