package dev.tributary.relay.cli;

import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.setup.ParkedAggregates;
import dev.tributary.relay.setup.ParkedAggregates.Parked;
import dev.tributary.relay.setup.SetupException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Lists what is set aside. */
@Command(
        name = "parked",
        description = "Lists the aggregates whose events are set aside behind one that Kafka will never take.")
final class ParkedCommand implements Callable<Integer> {
    @Mixin
    private final ConfigOption config = new ConfigOption();

    @Spec
    @SuppressWarnings("NullAway.Init") // by picocli
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        int exitCode = ExitCode.OK;
        for (SourceConfig source : config.read().sources()) {
            try {
                print(out, source, new ParkedAggregates(source).list());
            } catch (SetupException e) {
                exitCode = Findings.failed(spec, "source " + source.name() + " cannot be asked:", e.findings());
            }
        }
        out.flush();
        return exitCode;
    }

    private static void print(PrintWriter out, SourceConfig source, List<Parked> all) {
        out.println(source.name() + ": " + (all.isEmpty() ? "nothing is set aside" : all.size() + " aggregates"));
        for (Parked parked : all) {
            out.printf(
                    "  %s/%s: %d events since %s, the first is %s: %s%n",
                    parked.type(), parked.id(), parked.events(), parked.since(), parked.eventId(), parked.reason());
        }
    }
}
