package dev.tributary.relay;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How long a source's slot may go on as it does.
 *
 * @param walStatus as PostgreSQL names it: reserved, extended, unreserved, lost; null if there is no slot, or while that is
 *     not known
 * @param bytesMax how much WAL may be kept: the server's limit, or else the configured one; null if there is neither
 * @param walBytesPerSecond how fast the server has written WAL over the last minute; null while it is not known
 * @param timeLeft how long until the limit if nothing more were confirmed; null if there is no limit or nothing is written
 * @param danger what is wrong, in a sentence; empty if nothing is
 */
public record SlotHealth(
        @Nullable String walStatus,
        @Nullable Long bytesMax,
        @Nullable Double walBytesPerSecond,
        @Nullable Duration timeLeft,
        String danger) {
    /** Before the server was asked. */
    public static final SlotHealth UNKNOWN = new SlotHealth(null, null, null, null, "");
}
