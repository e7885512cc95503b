package dev.tributary.relay.cli;

import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.setup.ParkedAggregates;
import dev.tributary.relay.setup.SetupException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Publishes again what was set aside. */
@Command(
        name = "release",
        description =
                "Publishes an aggregate's events that are set aside, in order, once the cause is mended. One that is"
                        + " not to be published at all is named under `skip` before.")
final class ReleaseCommand implements Callable<Integer> {
    @Mixin
    private final ConfigOption config = new ConfigOption();

    @Option(names = "--source", paramLabel = "NAME", required = true, description = "The aggregate's source.")
    @SuppressWarnings("NullAway.Init") // by picocli
    private String sourceName;

    @Option(names = "--aggregate", paramLabel = "TYPE/ID", required = true, description = "As 'relay parked' lists it.")
    @SuppressWarnings("NullAway.Init") // by picocli
    private String aggregate;

    @Spec
    @SuppressWarnings("NullAway.Init") // by picocli
    private CommandSpec spec;

    @Override
    public Integer call() {
        int slash = aggregate.indexOf('/');
        if (slash < 1) {
            throw new ParameterException(spec.commandLine(), "--aggregate must be TYPE/ID, not '" + aggregate + "'");
        }
        SourceConfig source = ChosenSources.of(config.read(), sourceName).get(0);
        try {
            int events =
                    new ParkedAggregates(source).release(aggregate.substring(0, slash), aggregate.substring(slash + 1));
            PrintWriter out = spec.commandLine().getOut();
            out.println(aggregate + ": " + events + " events are on their way again");
            out.flush();
            return ExitCode.OK;
        } catch (SetupException e) {
            return Findings.failed(spec, aggregate + " cannot be released:", e.findings());
        }
    }
}
