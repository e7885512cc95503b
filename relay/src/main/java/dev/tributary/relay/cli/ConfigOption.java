package dev.tributary.relay.cli;

import dev.tributary.relay.config.ConfigFile;
import dev.tributary.relay.config.RelayConfig;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The options that every command has. */
final class ConfigOption {
    @Option(
            names = "--config",
            required = true,
            paramLabel = "FILE",
            description = "The configuration, such as relay.yaml.")
    @SuppressWarnings("NullAway.Init") // by picocli
    private Path file;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help message and exit.")
    @SuppressWarnings("UnusedVariable") // picocli acts on it
    private boolean help;

    /**
     * Reads the file and the environment.
     *
     * @throws dev.tributary.relay.config.ConfigurationException if it cannot be used
     */
    RelayConfig read() {
        return ConfigFile.read(file, System.getenv());
    }
}
