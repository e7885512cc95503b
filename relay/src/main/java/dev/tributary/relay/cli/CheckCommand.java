package dev.tributary.relay.cli;

import dev.tributary.relay.config.RelayConfig;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.setup.Finding;
import dev.tributary.relay.setup.Finding.Severity;
import dev.tributary.relay.setup.KafkaPreflight;
import dev.tributary.relay.setup.Preflight;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Looks at everything the relay needs, and reports it all at once. */
@Command(
        name = "check",
        description =
                "Looks at databases, Kafka and configuration; reports every finding with its remedy. Changes nothing.")
final class CheckCommand implements Callable<Integer> {
    @Mixin
    private final ConfigOption config = new ConfigOption();

    @Spec
    @SuppressWarnings("NullAway.Init") // by picocli
    private CommandSpec spec;

    @Override
    public Integer call() {
        RelayConfig read = config.read();
        PrintWriter out = spec.commandLine().getOut();
        Set<String> streaming = RelayClient.of(read.http()).streamingSources();
        List<Finding> all = new ArrayList<>();
        for (SourceConfig source : read.sources()) {
            section(
                    out,
                    all,
                    "source " + source.name() + ", " + source.displayUrl(),
                    Preflight.of(source, streaming.contains(source.name())));
        }
        section(
                out,
                all,
                "Kafka",
                KafkaPreflight.of(
                        read.kafka(),
                        read.sources().stream().map(SourceConfig::name).toList()));

        long failed = all.stream().filter(Finding::isFailure).count();
        long warnings =
                all.stream().filter(f -> f.severity() == Severity.WARNING).count();
        out.println(failed + " failed, " + warnings + (warnings == 1 ? " warning" : " warnings"));
        out.flush();
        return failed == 0 ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    private static void section(PrintWriter out, List<Finding> all, String title, List<Finding> findings) {
        out.println(title);
        Findings.print(out, findings);
        out.flush();
        all.addAll(findings);
    }
}
