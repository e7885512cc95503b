package dev.tributary.relay.setup;

import dev.tributary.relay.config.ConfigurationException;
import dev.tributary.relay.config.Mistake;
import dev.tributary.relay.config.RelayConfig;
import dev.tributary.relay.config.SourceConfig.Engine;
import java.util.List;

/** Which ways of reading changes this version has. */
public final class Engines {
    static final String DEBEZIUM_NOT_YET = "debezium is not available in this version yet";

    private Engines() {}

    /**
     * Refuses what the configuration may say and this version cannot do.
     *
     * @throws ConfigurationException naming every such source
     */
    public static void requireAvailable(RelayConfig config) {
        List<Mistake> mistakes = config.sources().stream()
                .filter(source -> source.engine() == Engine.DEBEZIUM)
                .map(source -> new Mistake(source.key("engine"), DEBEZIUM_NOT_YET + "; use pgoutput"))
                .toList();
        if (!mistakes.isEmpty()) {
            throw new ConfigurationException(mistakes);
        }
    }
}
