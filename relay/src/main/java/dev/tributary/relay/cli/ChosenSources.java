package dev.tributary.relay.cli;

import dev.tributary.relay.config.ConfigurationException;
import dev.tributary.relay.config.Mistake;
import dev.tributary.relay.config.RelayConfig;
import dev.tributary.relay.config.SourceConfig;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The sources that a command is to work on. */
final class ChosenSources {
    private ChosenSources() {}

    /**
     * All, or the one that {@code --source} names.
     *
     * @throws ConfigurationException if there is no such source
     */
    static List<SourceConfig> of(RelayConfig config, @Nullable String only) {
        List<SourceConfig> chosen = config.sources().stream()
                .filter(source -> only == null || source.name().equals(only))
                .toList();
        if (chosen.isEmpty()) {
            throw new ConfigurationException(
                    List.of(new Mistake("relay.sources", "has no source '" + only + "', as --source asks for")));
        }
        return chosen;
    }
}
