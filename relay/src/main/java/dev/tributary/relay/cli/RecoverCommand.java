package dev.tributary.relay.cli;

import dev.tributary.relay.config.RelayConfig;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.recover.SlotRecovery;
import dev.tributary.relay.recover.SlotRecovery.Options;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Replaces lost slots and publishes what Kafka lacks. */
@Command(
        name = "recover",
        description = {
            "Replaces a slot that is lost, and publishes what Kafka lacks from the rows that the database has kept.",
            "Where the slot is in order it does nothing."
        })
final class RecoverCommand implements Callable<Integer> {
    @Mixin
    private final ConfigOption config = new ConfigOption();

    @Option(names = "--dry-run", description = "Say what would be done, and change nothing.")
    private boolean dryRun;

    @Option(
            names = "--new-epoch",
            description =
                    "Take it that the database is not, or not any more, what the events in Kafka came from: it was"
                            + " restored from an older copy, or replaced.")
    private boolean newEpoch;

    @Option(
            names = "--accept-loss",
            description = "Go on though there are events that cannot be published any more; they are counted.")
    private boolean acceptLoss;

    @Option(
            names = "--slack",
            paramLabel = "DURATION",
            defaultValue = "PT1H",
            converter = Length.class,
            description =
                    "How much earlier than needed to look, for clocks that differ and transactions that took long,"
                            + " such as PT6H; ${DEFAULT-VALUE} if not given.")
    private Duration slack = Duration.ofHours(1);

    @Option(names = "--source", paramLabel = "NAME", description = "Only this source.")
    private @Nullable String only;

    @Spec
    @SuppressWarnings("NullAway.Init") // by picocli
    private CommandSpec spec;

    @Override
    public Integer call() {
        RelayConfig read = config.read();
        int exitCode = ExitCode.OK;
        for (SourceConfig source : ChosenSources.of(read, only)) {
            exitCode = Math.max(exitCode, recover(source, read));
        }
        return exitCode;
    }

    private int recover(SourceConfig source, RelayConfig read) {
        PrintWriter out = spec.commandLine().getOut();
        say(out, "source " + source.name() + ", " + source.displayUrl());
        try {
            new SlotRecovery(
                            source,
                            read.kafka(),
                            new Options(dryRun, newEpoch, acceptLoss, slack),
                            line -> say(out, line))
                    .run();
            return ExitCode.OK;
        } catch (RelayException e) {
            return failed(source, e.reason(), e.remedy());
        } catch (SQLException e) {
            return failed(
                    source,
                    "database " + source.displayUrl() + ": " + e.getMessage(),
                    "mend it ('relay check' may know more), and run this again");
        }
    }

    private static void say(PrintWriter out, String line) {
        out.println(line);
        out.flush();
    }

    private int failed(SourceConfig source, String reason, String remedy) {
        return Findings.failed(spec, "source " + source.name() + " is not recovered:", reason, remedy);
    }

    static final class Length implements ITypeConverter<Duration> {
        @Override
        public Duration convert(String text) {
            try {
                return Duration.parse(text);
            } catch (DateTimeParseException e) {
                throw new TypeConversionException("'" + text + "' is not a duration such as PT6H");
            }
        }
    }
}
