package dev.tributary.relay.config;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * When the WAL that the slot keeps becomes a danger. Immutable.
 *
 * @param bytesMax how much may be kept, where the server has no limit of its own ({@code max_slot_wal_keep_size}); null if
 *     only the disk says that
 * @param timeMin less time than that until the limit, and the source counts as not ready
 */
public record SlotLimits(@Nullable Long bytesMax, Duration timeMin) {
    /** What holds if nothing is said. */
    public static final SlotLimits DEFAULT = new SlotLimits(null, Duration.ofMinutes(10));

    static final String BYTES_MAX = "slot.bytes.max";
    static final String TIME_MIN = "slot.time.min";

    /**
     * Checks both.
     *
     * @throws ConfigurationException naming every mistake, by the key within the source
     */
    public SlotLimits {
        List<Mistake> mistakes = new ArrayList<>();
        if (bytesMax != null && bytesMax < 1) {
            mistakes.add(new Mistake(BYTES_MAX, "must be 1 or more bytes, not " + bytesMax));
        }
        if (timeMin.isNegative()) {
            mistakes.add(new Mistake(TIME_MIN, "must not be negative"));
        }
        ConfigurationException.throwIfAny(mistakes);
    }
}
