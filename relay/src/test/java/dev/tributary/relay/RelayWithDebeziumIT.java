package dev.tributary.relay;

import dev.tributary.relay.config.SourceConfig;

/** What a relay does, it does with the other engine too. */
class RelayWithDebeziumIT extends RelayIT {
    @Override
    SourceConfig.Engine engine() {
        return SourceConfig.Engine.DEBEZIUM;
    }
}
