package dev.tributary.relay.running;

import dev.tributary.relay.Relay;
import dev.tributary.relay.SourceStatus;

/** What a source's thread runs: a {@link Relay}, or in tests something that fails on command. */
interface SourceBody {
    void run();

    SourceStatus status();

    void close();

    static SourceBody of(Relay relay) {
        return new SourceBody() {
            @Override
            public void run() {
                relay.run();
            }

            @Override
            public SourceStatus status() {
                return relay.status();
            }

            @Override
            public void close() {
                relay.close();
            }
        };
    }
}
