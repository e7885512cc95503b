package dev.tributary.relay.source;

import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.SourceDatabase.Pulse;

/**
 * Tells a quiet stream from a dead one. The server is asked for an answer with every status that it gets (about once a
 * second) and answers with how far it has sent; if it says elsewhere that it has sent more, and that does not arrive, the
 * stream is dead, however connected it looks. Used by one thread.
 */
public final class Heartbeat {
    /** Pulses, one a second, for which something that was sent may stay out. */
    private static final int MISSED_MAX = 8;

    private long sentBefore;
    private int missed;

    /**
     * Compares the server's word with what has arrived.
     *
     * @param arrived up to where the stream has come
     * @param reading whether everything that arrives is read at once; while it is not, nothing can be said
     * @throws RelayException if the stream is dead
     */
    public void check(Pulse pulse, long arrived, boolean reading) {
        boolean late = reading && Long.compareUnsigned(sentBefore, arrived) > 0;
        missed = late ? missed + 1 : 0;
        if (pulse.sentLsn() != null) {
            sentBefore = pulse.sentLsn();
        }
        if (missed > MISSED_MAX) {
            throw new RelayException(
                    "the stream is dead: the server has sent more than arrives",
                    "none if the network comes back; the relay connects again",
                    null);
        }
    }
}
