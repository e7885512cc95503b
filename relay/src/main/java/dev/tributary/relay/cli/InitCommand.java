package dev.tributary.relay.cli;

import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.setup.Preparation;
import dev.tributary.relay.setup.SetupException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Creates what the sources' databases lack. */
@Command(
        name = "init",
        description = "Creates what is missing in the databases: tables, publication, replication slot.")
final class InitCommand implements Callable<Integer> {
    @Mixin
    private final ConfigOption config = new ConfigOption();

    @Option(names = "--dry-run", description = "Print the SQL instead of running it.")
    private boolean dryRun;

    @Option(
            names = "--leave-events",
            description = "Create the slot though there are events already; they will not be relayed.")
    private boolean leaveEvents;

    @Option(
            names = "--roles",
            description = "Also create the roles tributary_writer, tributary_reader and tributary_relay, with no more"
                    + " rights than they need, or grant what they lack.")
    private boolean roles;

    @Option(names = "--source", paramLabel = "NAME", description = "Only this source.")
    private @Nullable String only;

    @Spec
    @SuppressWarnings("NullAway.Init") // by picocli
    private CommandSpec spec;

    @Override
    public Integer call() {
        int exitCode = ExitCode.OK;
        for (SourceConfig source : ChosenSources.of(config.read(), only)) {
            exitCode = Math.max(exitCode, prepare(source));
        }
        return exitCode;
    }

    private int prepare(SourceConfig source) {
        PrintWriter out = spec.commandLine().getOut();
        try {
            Preparation preparation = Preparation.of(source, leaveEvents, roles);
            if (dryRun) {
                out.print(preparation.sql());
            } else {
                List<String> created = preparation.run();
                out.println("source " + source.name() + ": "
                        + (created.isEmpty() ? "nothing was missing" : "created " + String.join(", ", created)));
            }
            out.flush();
            return ExitCode.OK;
        } catch (SetupException e) {
            out.flush();
            return Findings.failed(spec, "source " + source.name() + " cannot be prepared:", e.findings());
        }
    }
}
