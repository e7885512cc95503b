package dev.tributary.relay.source;

import dev.tributary.relay.flow.RelayException;
import org.jspecify.annotations.Nullable;

/**
 * What came over the stream is not what PostgreSQL sends: something between has changed it, or one side has a bug. The
 * relay asks for it again from the confirmed position; better that than an event that nobody wrote.
 */
final class GarbledMessage extends RelayException {
    GarbledMessage(String what, @Nullable Throwable cause) {
        super(
                "the server sent a message that cannot be read (" + what + ")",
                "none if it passes; if it comes again and again, something between the relay and the server changes"
                        + " what is sent, or one of the two has a bug: please report it",
                cause);
    }

    static void unless(boolean readable, String what) {
        if (!readable) {
            throw new GarbledMessage(what, null);
        }
    }
}
