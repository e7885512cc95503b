package dev.tributary.outbox.wire;

import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * An event's place in its source's commit order. The same event has the same position at every delivery, and positions
 * grow in commit order, so whoever has seen position {@code p} has seen everything up to it.
 *
 * <p>The text form {@code <epoch 8 hex>-<lsn 16 hex>-<ordinal 8 hex>} sorts as text the way positions sort.
 *
 * @param epoch counts the times the source's LSNs lost their meaning (restore, dump and reload); unsigned
 * @param commitLsn the LSN of the transaction's commit record, pgoutput's {@code Begin.final_lsn}; unsigned. A change's
 *     own LSN does not grow across transactions and must not be used here.
 * @param ordinal counts the source's events within the transaction from 0; unsigned
 */
public record Position(int epoch, long commitLsn, int ordinal) implements Comparable<Position> {
    private static final int TEXT_LENGTH = 8 + 1 + 16 + 1 + 8;
    private static final HexFormat HEX = HexFormat.of();

    /** Before every event. */
    public static final Position START = new Position(0, 0, 0);

    /**
     * Reads the text form.
     *
     * @throws IllegalArgumentException if {@code text} is not in that form
     */
    public static Position parse(CharSequence text) {
        if (text.length() != TEXT_LENGTH || text.charAt(8) != '-' || text.charAt(25) != '-') {
            throw malformed(text, null);
        }
        try {
            return new Position(
                    HexFormat.fromHexDigits(text, 0, 8),
                    HexFormat.fromHexDigitsToLong(text, 9, 25),
                    HexFormat.fromHexDigits(text, 26, 34));
        } catch (IllegalArgumentException e) {
            throw malformed(text, e);
        }
    }

    private static IllegalArgumentException malformed(CharSequence text, @Nullable Exception cause) {
        return new IllegalArgumentException(
                "not a position, expected <epoch 8 hex>-<lsn 16 hex>-<ordinal 8 hex>: '" + text + "'", cause);
    }

    /** Whether this event lies after {@code other} in the source's commit order. */
    public boolean isAfter(Position other) {
        return compareTo(other) > 0;
    }

    @Override
    public int compareTo(Position other) {
        int byEpoch = Integer.compareUnsigned(epoch, other.epoch);
        if (byEpoch != 0) {
            return byEpoch;
        }
        int byLsn = Long.compareUnsigned(commitLsn, other.commitLsn);
        return byLsn != 0 ? byLsn : Integer.compareUnsigned(ordinal, other.ordinal);
    }

    /** The text form. */
    @Override
    public String toString() {
        return HEX.toHexDigits(epoch) + '-' + HEX.toHexDigits(commitLsn) + '-' + HEX.toHexDigits(ordinal);
    }
}
