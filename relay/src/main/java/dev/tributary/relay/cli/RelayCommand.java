package dev.tributary.relay.cli;

import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The {@code relay} program. */
@Command(
        name = "relay",
        description = "Relays events from PostgreSQL's transaction log to Kafka.",
        mixinStandardHelpOptions = true,
        versionProvider = RelayCommand.Version.class,
        subcommands = {
            InitCommand.class,
            CheckCommand.class,
            RunCommand.class,
            StatusCommand.class,
            ParkedCommand.class,
            ReleaseCommand.class,
            RecoverCommand.class,
            ReplayCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:failed", "2:bad usage or configuration"})
public final class RelayCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // by picocli
    private CommandSpec spec;

    public static void main(String[] args) {
        int exitCode = Logging.problem(System.getenv());
        if (exitCode == CommandLine.ExitCode.OK) {
            Logging.choose(System.getenv(), List.of(args).contains(RunCommand.NAME));
            exitCode = commandLine().execute(args);
        }
        System.exit(exitCode);
    }

    static CommandLine commandLine() {
        return new CommandLine(new RelayCommand())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler(new PlainWords());
    }

    /** Without a command. */
    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "A command is missing: init, check, run, status, parked, release, recover or replay");
    }

    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = RelayCommand.class.getPackage().getImplementationVersion();
            return new String[] {"relay " + (version == null ? "(not packaged)" : version)};
        }
    }
}
