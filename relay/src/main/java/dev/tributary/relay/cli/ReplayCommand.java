package dev.tributary.relay.cli;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.RelayConfig;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.replay.HistoryReplay;
import dev.tributary.relay.replay.HistoryReplay.Options;
import dev.tributary.relay.replay.Part;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Publishes a source's history again, to a topic of its own. */
@Command(
        name = "replay",
        description = {
            "Publishes a source's history once more, from its tables, to a topic of its own: all of it, or a part.",
            "Views can be built from it and go on with live events: History.replayed(topic)."
        })
final class ReplayCommand implements Callable<Integer> {
    @Mixin
    private final ConfigOption config = new ConfigOption();

    @Option(names = "--source", paramLabel = "NAME", required = true, description = "Whose history.")
    @SuppressWarnings("NullAway.Init") // by picocli
    private String sourceName;

    @Option(
            names = "--topic",
            paramLabel = "TOPIC",
            required = true,
            description = "Where to. It is created, or is empty, or holds what --resume goes on with.")
    @SuppressWarnings("NullAway.Init") // by picocli
    private String topic;

    @Option(
            names = "--aggregate-type",
            paramLabel = "TYPE",
            split = ",",
            description = "Only events of these aggregate types; may be repeated.")
    private Set<String> aggregateTypes = Set.of();

    @Option(names = "--aggregate", paramLabel = "TYPE/ID", description = "Only events of this aggregate.")
    private @Nullable String aggregate;

    @Option(
            names = "--since",
            paramLabel = "TIME",
            converter = Time.class,
            description = "Only events that occurred then or later.")
    private @Nullable Instant since;

    @Option(
            names = "--until",
            paramLabel = "TIME",
            converter = Time.class,
            description = "Only events that occurred before, such as 2026-01-31T00:00:00Z.")
    private @Nullable Instant until;

    @Option(
            names = "--from-position",
            paramLabel = "POSITION",
            description = "Only events that were live at this ce_position or behind it, if Kafka still has them.")
    private @Nullable String fromPosition;

    @Option(
            names = "--to-position",
            paramLabel = "POSITION",
            description =
                    "Only events that were live at this ce_position or before it, if Kafka still has what is behind.")
    private @Nullable String toPosition;

    @Option(
            names = "--events-per-second",
            paramLabel = "N",
            description = "At most so many events per second; no limit if not given.")
    private @Nullable Long eventsPerSecond;

    @Option(
            names = "--resume",
            description = "Go on with a replay that was stopped; to a complete one, add what has committed since.")
    private boolean resume;

    @Option(
            names = "--accept-loss",
            description = "With --resume, go on though events have been dropped meanwhile that belong in between.")
    private boolean acceptLoss;

    @Option(names = "--dry-run", description = "Say what would be done, and change nothing.")
    private boolean dryRun;

    @Spec
    @SuppressWarnings("NullAway.Init") // by picocli
    private CommandSpec spec;

    @Override
    public Integer call() {
        Options options = options();
        RelayConfig read = config.read();
        SourceConfig source = ChosenSources.of(read, sourceName).get(0);
        for (SourceConfig other : read.sources()) {
            if (other.topics().matches(topic)) {
                throw new ParameterException(
                        spec.commandLine(),
                        "--topic " + topic + " is named like the topics of live events of source " + other.name());
            }
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println("source " + source.name() + ", " + source.displayUrl());
        out.flush();
        try (ProgressBar bar = new ProgressBar(out, Ansi.AUTO.enabled())) {
            run(new HistoryReplay(source, read.kafka(), options, bar));
            return ExitCode.OK;
        } catch (RelayException e) {
            return failed(source, e.reason(), e.remedy());
        } catch (SQLException e) {
            return failed(
                    source,
                    "database " + source.displayUrl() + ": " + e.getMessage(),
                    "mend it ('relay check' may know more), and run this again with --resume");
        }
    }

    private void run(HistoryReplay replay) throws SQLException {
        StopHint hint = StopHint.onSignal(spec, again());
        try {
            replay.run();
        } finally {
            hint.withdraw();
        }
    }

    /** The arguments that go on with what these have begun. */
    private List<String> again() {
        List<String> arguments =
                new ArrayList<>(spec.root().commandLine().getParseResult().originalArgs());
        if (!resume && !dryRun) {
            arguments.add("--resume");
        }
        return arguments;
    }

    private Options options() {
        requireSense(
                eventsPerSecond == null || eventsPerSecond >= 1,
                "--events-per-second must be at least 1, not " + eventsPerSecond);
        requireSense(
                since == null || until == null || since.isBefore(until),
                "--since " + since + " is not before --until " + until + ": there is nothing in between");
        requireSense(resume || !acceptLoss, "--accept-loss comes with --resume: there is nothing to lose before");
        Set<String> types = aggregateTypes;
        String id = null;
        if (aggregate != null) {
            int slash = aggregate.indexOf('/');
            requireSense(
                    slash > 0 && slash < aggregate.length() - 1 && types.isEmpty(),
                    "--aggregate must be TYPE/ID, not '" + aggregate + "', and comes without --aggregate-type");
            types = Set.of(aggregate.substring(0, slash));
            id = aggregate.substring(slash + 1);
        }
        Part part = new Part(
                types,
                id,
                since,
                until,
                position("--from-position", fromPosition),
                position("--to-position", toPosition));
        return new Options(
                topic, part, eventsPerSecond == null ? Long.MAX_VALUE : eventsPerSecond, resume, acceptLoss, dryRun);
    }

    private void requireSense(boolean makesSense, String mistake) {
        if (!makesSense) {
            throw new ParameterException(spec.commandLine(), mistake);
        }
    }

    static final class Time implements ITypeConverter<Instant> {
        @Override
        public Instant convert(String text) {
            try {
                return Instant.parse(text);
            } catch (DateTimeParseException e) {
                throw new TypeConversionException(
                        "'" + text + "' is not a time with its offset from UTC, such as 2026-01-31T00:00:00Z");
            }
        }
    }

    private @Nullable Position position(String option, @Nullable String text) {
        try {
            return text == null ? null : Position.parse(text);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), option + ": " + e.getMessage(), e);
        }
    }

    private int failed(SourceConfig source, String reason, String remedy) {
        return Findings.failed(
                spec, "source " + source.name() + " is not replayed, or not to its end:", reason, remedy);
    }
}
