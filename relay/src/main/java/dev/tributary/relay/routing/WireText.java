package dev.tributary.relay.routing;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tributary.outbox.wire.Position;
import java.time.Instant;
import java.util.UUID;

/**
 * The same texts as {@code toString} gives, written straight to ASCII: what would otherwise be a good part of the work
 * on an event. Not thread-safe.
 */
final class WireText {
    private static final byte[] HEX = "0123456789abcdef".getBytes(US_ASCII);
    private static final int NANOS_PER_MILLI = 1_000_000;
    private static final int NANOS_PER_MICRO = 1_000;

    private long second = Long.MIN_VALUE;
    /** The text of {@link #second}, without the closing Z. */
    private byte[] secondText = {};

    static byte[] uuid(UUID id) {
        byte[] text = new byte[36];
        long high = id.getMostSignificantBits();
        long low = id.getLeastSignificantBits();
        hex(high >>> 32, 8, text, 0);
        text[8] = '-';
        hex(high >>> 16, 4, text, 9);
        text[13] = '-';
        hex(high, 4, text, 14);
        text[18] = '-';
        hex(low >>> 48, 4, text, 19);
        text[23] = '-';
        hex(low, 12, text, 24);
        return text;
    }

    static byte[] position(Position position) {
        byte[] text = new byte[34];
        hex(position.epoch(), 8, text, 0);
        text[8] = '-';
        hex(position.commitLsn(), 16, text, 9);
        text[25] = '-';
        hex(position.ordinal(), 8, text, 26);
        return text;
    }

    /** Events come in about the order of their times: the second is most often that of the event before. */
    byte[] time(Instant time) {
        int nanos = time.getNano();
        if (nanos % NANOS_PER_MICRO != 0) {
            return time.toString().getBytes(US_ASCII); // not PostgreSQL's
        }
        if (time.getEpochSecond() != second) {
            second = time.getEpochSecond();
            String text = Instant.ofEpochSecond(second).toString();
            secondText = text.substring(0, text.length() - 1).getBytes(US_ASCII);
        }
        int digits = nanos == 0 ? 0 : nanos % NANOS_PER_MILLI == 0 ? 3 : 6;
        byte[] text = java.util.Arrays.copyOf(secondText, secondText.length + (digits == 0 ? 1 : digits + 2));
        if (digits > 0) {
            text[secondText.length] = '.';
            decimal(
                    digits == 3 ? nanos / NANOS_PER_MILLI : nanos / NANOS_PER_MICRO,
                    digits,
                    text,
                    secondText.length + 1);
        }
        text[text.length - 1] = 'Z';
        return text;
    }

    private static void hex(long value, int digits, byte[] to, int offset) {
        long rest = value;
        for (int i = offset + digits - 1; i >= offset; i--) {
            to[i] = HEX[(int) (rest & 0xF)];
            rest >>>= 4;
        }
    }

    private static void decimal(int value, int digits, byte[] to, int offset) {
        int rest = value;
        for (int i = offset + digits - 1; i >= offset; i--) {
            to[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
    }
}
