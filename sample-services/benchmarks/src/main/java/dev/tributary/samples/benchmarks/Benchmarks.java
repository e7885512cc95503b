package dev.tributary.samples.benchmarks;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The {@code benchmarks} program. */
@Command(
        name = "benchmarks",
        description = "Measures Tributary against its limits and its peers, on this machine.",
        mixinStandardHelpOptions = true,
        subcommands = {
            RelayBenchmark.class,
            LatencyBenchmark.class,
            IdleBenchmark.class,
            ApplyBenchmark.class,
            RebuildBenchmark.class,
            ReplayBenchmark.class,
            ChurnBenchmark.class,
            WriteBenchmark.class,
            SourcesBenchmark.class,
            GrowthBenchmark.class
        })
public final class Benchmarks implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // by picocli
    private CommandSpec spec;

    /** For this process and every contestant's: a Kafka client that logs is a slow one. */
    static final String QUIET_LOGGING = "dev/tributary/samples/benchmarks/quiet-logback.xml";

    static final String LOGGING_PROPERTY = "logback.configurationFile";

    public static void main(String[] args) {
        System.setProperty(LOGGING_PROPERTY, QUIET_LOGGING);
        System.exit(new CommandLine(new Benchmarks()).execute(args));
    }

    /** Without a command. */
    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "A command is missing: relay, latency, idle, apply, rebuild, replay, churn, write, sources or growth");
    }
}
