package dev.tributary.relay.source;

import dev.tributary.relay.source.SourceDatabase.Holder;
import java.sql.SQLException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the session of a slot's holder that has said nothing for a while: frozen, or cut off. Judged by this process's own
 * clock, since the holder's and the server's may differ. Used by one thread.
 */
public final class SilentHolder {
    private static final Logger LOG = LoggerFactory.getLogger(SilentHolder.class);
    /** A live holder speaks every second, from a thread that nothing else keeps. */
    private static final Duration SILENCE_MAX = Duration.ofSeconds(6);

    private @Nullable Holder heard;
    private long heardNanos;

    /** To be called about every second while the slot is held by another. */
    public void endIfSilent(SourceDatabase database, long nowNanos) throws SQLException {
        Holder holder = database.slotHolder();
        if (holder == null || !holder.equals(heard)) {
            heard = holder;
            heardNanos = nowNanos;
        } else if (nowNanos - heardNanos > SILENCE_MAX.toNanos()) {
            LOG.warn("The relay that holds the slot has said nothing for {}; its session is ended", SILENCE_MAX);
            database.end(holder);
            heard = null;
        }
    }
}
